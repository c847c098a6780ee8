#include "src/lab/output/markup.h"

#include <ctype.h>
#include <string.h>

void lab_markup_put(FILE *out, const char *text)
{
    static const char special[] = "&<>\"'";
    static const char *const entity[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (; *text != 0; text++) {
        const char *found = strchr(special, *text);
        if (found != NULL)
            fputs(entity[found - special], out);
        else if (!iscntrl((unsigned char)*text) || *text == '\n' || *text == '\t')
            fputc(*text, out);
    }
}

void lab_markup_paragraphs(FILE *out, const char *text)
{
    while (*text != 0) {
        const char *end = strstr(text, "\n\n");
        size_t size = end != NULL ? (size_t)(end - text) : strlen(text);
        char part[4096];
        /* A longer paragraph becomes two. */
        size = size < sizeof part ? size : sizeof part - 1;
        memcpy(part, text, size);
        part[size] = 0;
        fputs("<p>", out);
        lab_markup_put(out, part);
        fputs("</p>\n", out);
        text += size;
        text += strspn(text, "\n");
    }
}

void lab_markup_percent(FILE *out, const char *text)
{
    for (; *text != 0; text++) {
        if (isalnum((unsigned char)*text) || strchr(",.-_:", *text) != NULL)
            fputc(*text, out);
        else
            fprintf(out, "%%%02X", (unsigned char)*text);
    }
}

static const char style[] =
    ":root{--paper:#fff;--ink:#1f2328;--faint:#59636e;--line:#d1d9e0;--field:#f6f8fa;"
    "color-scheme:light dark}\n"
    "@media (prefers-color-scheme:dark){:root{--paper:#14171c;--ink:#e3e6ea;--faint:#9aa4af;"
    "--line:#353b43;--field:#1c2128}}\n"
    "body{background:var(--paper);color:var(--ink);margin:0 auto;max-width:60rem;"
    "padding:1.5rem 1rem 4rem;font:16px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.7rem;margin:.2em 0}h2{font-size:1.35rem;margin:2.5rem 0 .3rem;"
    "padding-top:1rem;border-top:1px solid var(--line)}h3{font-size:1.05rem;margin:1.5rem 0 "
    ".4rem}\n"
    "a{color:inherit}.faint,.note,footer{color:var(--faint);font-size:.9rem}\n"
    "nav ul{columns:2;padding-left:1.2rem}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem .8rem;margin:.6rem 0}"
    "dt{font-weight:600}dd{margin:0}\n"
    "figure{margin:1.2rem 0;padding:.6rem;border:1px solid var(--line);border-radius:6px}\n"
    "figure svg{display:block;width:100%;height:auto}\n"
    "figcaption{color:var(--faint);font-size:.9rem;margin-top:.3rem}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.92rem;"
    "font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.25rem .7rem;border-bottom:1px solid var(--line);text-align:left;"
    "vertical-align:top}td.n,th.n{text-align:right;white-space:nowrap}"
    "td.t{overflow-wrap:anywhere}thead th{border-bottom-width:2px}\n"
    "pre{background:var(--field);padding:.7rem;border-radius:6px;overflow-x:auto;font-size:.85rem;"
    "white-space:pre-wrap;overflow-wrap:anywhere}\n"
    "details{margin:.6rem 0}summary{cursor:pointer;color:var(--faint)}\n"
    "@media print{:root{--paper:#fff;--ink:#000;--faint:#444;--line:#bbb;--field:#f4f4f4}"
    "body{max-width:none;padding:0;font-size:10.5pt}.wide{overflow:visible}"
    "table{font-size:8pt}td.n,th.n{white-space:normal}figure,tr{break-inside:avoid}"
    "h2,h3{break-after:avoid}nav,.get{display:none}}\n";

void lab_markup_head(FILE *out, const char *title)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
          out);
    lab_markup_put(out, title);
    fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>", style);
    lab_markup_put(out, title);
    fputs("</h1>\n", out);
}

void lab_markup_tail(FILE *out, const char *words)
{
    fputs("<footer>", out);
    lab_markup_put(out, words);
    /* What is folded away on a screen is wanted on paper. */
    fputs("</footer>\n<script>addEventListener('beforeprint',function(){document"
          ".querySelectorAll('details').forEach(function(d){d.open=true})})</script>\n"
          "</body>\n</html>\n",
          out);
}
