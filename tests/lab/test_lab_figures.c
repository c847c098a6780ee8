/* Goal: tables of runs go together, figures show the numbers that they are said to show and say
 * what they leave out, and neither a table nor a drawing runs anything. */
#include "tests/lab/output_rig.h"

#include <math.h>

#include "hearsay/error.h"
#include "src/lab/output/choice.h"
#include "src/lab/output/csv.h"
#include "src/lab/output/label.h"
#include "src/lab/output/plot.h"
#include "src/lab/output/script.h"
#include "src/lab/output/svg.h"

/* --- tables and figures ---------------------------------------------------------------------- */

static void cells_go_through_quotes(void **state)
{
    static const char *const cell[] = {"plain", "a,b", "say \"so\"", "two\nlines", ""};
    struct lab_text text;
    struct lab_csv csv;
    struct lab_why why;
    size_t size;
    (void)state;
    lab_text_open(&text);
    fputs("a,b,c,d,e\n", text.out);
    for (int i = 0; i < 5; i++) {
        fputs(i > 0 ? "," : "", text.out);
        lab_csv_put(text.out, cell[i]);
    }
    fputs("\n1,2,3,4,5", text.out); /* without an end of line */
    char *bytes = lab_text_take(&text, &size);
    assert_int_equal(file_write(at("t.csv"), bytes, size, 0644), 0);
    lab_csv_init(&csv);
    assert_int_equal(lab_csv_read(&csv, at("t.csv"), NULL, &why), 0);
    assert_int_equal(lab_csv_rows(&csv), 2);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(lab_csv_cell(&csv, 0, i), cell[i]);
    assert_string_equal(lab_csv_cell(&csv, 1, 4), "5");
    assert_int_equal(lab_csv_column(&csv, "e"), 4);
    assert_int_equal(lab_csv_column(&csv, "f"), -1);
    assert_int_equal(lab_csv_read(&csv, at("none.csv"), NULL, &why), HSAY_ENOENT);
    lab_csv_free(&csv);

    assert_int_equal(file_write(at("t.csv"), "a,b\n1\n", 6, 0644), 0);
    assert_int_equal(lab_csv_read(&csv, at("t.csv"), NULL, &why), HSAY_EBAD);
    lab_csv_free(&csv);
    free(bytes);
}

/* Points of a sweep count different things; what one has and another has not is no 0. */
static void tables_with_other_columns_go_together(void **state)
{
    static const char one[] = "seed,a,b\n1,2,3\n", two[] = "seed,b,c,a\n4,5,6,7\n";
    static const char *const key[] = {"nodes"}, *const value[] = {"10"};
    const struct lab_csv_front front = {key, value, 1};
    static const char *const cell[2][5] = {{"10", "1", "2", "3", ""}, {"10", "4", "7", "5", "6"}};
    struct lab_csv csv;
    struct lab_why why;
    (void)state;
    lab_csv_init(&csv);
    assert_int_equal(file_write(at("t.csv"), one, sizeof one - 1, 0644), 0);
    assert_int_equal(lab_csv_read(&csv, at("t.csv"), &front, &why), 0);
    assert_int_equal(file_write(at("t.csv"), two, sizeof two - 1, 0644), 0);
    assert_int_equal(lab_csv_read(&csv, at("t.csv"), &front, &why), 0);
    assert_int_equal(csv.columns, 5);
    assert_int_equal(lab_csv_rows(&csv), 2);
    for (size_t row = 0; row < 2; row++) {
        for (size_t i = 0; i < 5; i++)
            assert_string_equal(lab_csv_cell(&csv, row, i), cell[row][i]);
    }
    lab_csv_free(&csv);
}

static char *figure_csv(const char *table, const struct lab_figure *drawn, int expected,
                        struct lab_why *why)
{
    struct lab_csv csv;
    struct lab_plot plot;
    struct lab_text text;
    lab_csv_init(&csv);
    assert_int_equal(file_write(at("f.csv"), table, strlen(table), 0644), 0);
    assert_int_equal(lab_csv_read(&csv, at("f.csv"), NULL, why), 0);
    assert_int_equal(lab_plot_make(&plot, drawn, &csv, why), expected);
    lab_text_open(&text);
    if (expected == 0) {
        lab_plot_csv(text.out, drawn, &plot);
        lab_plot_free(&plot);
    }
    lab_csv_free(&csv);
    return lab_text_take(&text, NULL);
}

static void assert_figure(const char *table, const struct lab_figure *drawn, const char *expected)
{
    struct lab_why why = {""};
    char *text = figure_csv(table, drawn, 0, &why);
    assert_string_equal(text, expected);
    free(text);
}

static void figures_have_the_right_numbers(void **state)
{
    static const char table[] = "variant,seed,step,share,word\n"
                                "main,1,0,0,a\nmain,1,1,0.5,b\nmain,2,1,1,b\nmain,2,1,2,b\n"
                                "long,1,0,4,a\nlong,1,1,,b\n";
    (void)state;
    /* A seed with two rows weighs as much as one with one; an empty cell is no 0. */
    assert_figure(table, &(struct lab_figure){.table = "t", .x = "step", .y = "share"},
                  "series,step,mean,least,largest,seeds\n"
                  "main,0,0,0,0,1\nmain,1,1,0.5,1.5,2\nlong,0,4,4,4,1\n");
    assert_figure(
        table,
        &(struct lab_figure){.table = "t", .x = "word", .y = "share", .style = LAB_STYLE_BARS},
        "series,word,mean,least,largest,seeds\n"
        "main,a,0,0,0,1\nmain,b,1,0.5,1.5,2\nlong,a,4,4,4,1\n");
    assert_figure(table, &(struct lab_figure){.table = "t", .x = "variant", .y = "share,step"},
                  "series,variant,mean,least,largest,seeds\n"
                  "share,main,0.875,0.25,1.5,2\nshare,long,4,4,4,1\n"
                  "step,main,0.75,0.5,1,2\nstep,long,0.5,0.5,0.5,1\n");
    assert_figure(
        table,
        &(struct lab_figure){.table = "t", .x = "share", .y = "rows", .style = LAB_STYLE_CDF},
        "series,share,share,share_least,share_largest,seeds\n"
        "main,0,0.25,0.25,0.25,1\nmain,0.5,0.5,0.5,0.5,1\nmain,1,0.75,0.75,0.75,1\n"
        "main,2,1,1,1,1\nlong,4,1,1,1,1\n");
    assert_figure(table,
                  &(struct lab_figure){
                      .table = "t", .x = "step", .y = "share", .has_x_max = true, .logy = true},
                  "series,step,mean,least,largest,seeds\nlong,0,4,4,4,1\n");
    assert_figure("loss,nat,variant,seed,n\n0.1,a,main,1,2\n0.1,b,main,1,4\n0.2,a,main,1,8\n",
                  &(struct lab_figure){.table = "sweep", .x = "loss", .y = "n"},
                  "series,loss,mean,least,largest,seeds\nnat a,0.1,2,2,2,1\nnat a,0.2,8,8,8,1\n"
                  "nat b,0.1,4,4,4,1\n");
    assert_figure(
        "variant,seed,t,node,v\nm,1,0,1,3\nm,2,0,1,5\nm,1,0,2,7\n",
        &(struct lab_figure){.table = "t", .x = "t", .y = "node,v", .style = LAB_STYLE_HEATMAP},
        "series,t,node,mean,least,largest,seeds\n,0,1,4,3,5,2\n,0,2,7,7,7,1\n");
}

static void figures_tell_what_is_missing(void **state)
{
    static const char table[] = "variant,seed,step,share\nmain,1,0,\n";
    struct lab_why why;
    (void)state;
    free(figure_csv(table, &(struct lab_figure){.table = "t", .x = "step", .y = "shares"},
                    HSAY_ENOENT, &why));
    assert_string_equal(why.text,
                        "the table 't' has no column 'shares'; it has: variant, seed, step, share");
    free(figure_csv(table, &(struct lab_figure){.table = "t", .x = "step", .y = "share"},
                    HSAY_EINVAL, &why));
    assert_has(why.text, "no numbers");
    free(figure_csv(table, &(struct lab_figure){.table = "t", .x = "step", .y = "seed", .by = "q"},
                    HSAY_ENOENT, &why));
    assert_has(why.text, "no column 'q'");
}

static void names_are_put_into_words(void **state)
{
    static const char names[] = "1=no NAT,p50=median, the=,p";
    static const char *const pair[][2] = {{"1", "no NAT"}, {"p50", "median"}, {" the", ""},
                                          {"p", "p"},      {"2", "2"},        {"", ""}};
    (void)state;
    for (size_t i = 0; i < sizeof pair / sizeof pair[0]; i++) {
        char *text = lab_label_of(names, pair[i][0]);
        assert_string_equal(text, pair[i][1]);
        free(text);
    }
    char *same = lab_label_of(NULL, "same");
    assert_string_equal(same, "same");
    free(same);
    assert_figure("variant,seed,n,p50,last\nmain,1,1,2,3\n",
                  &(struct lab_figure){
                      .table = "t", .x = "n", .y = "p50,last", .y_names = "p50=median,last=all"},
                  "series,n,mean,least,largest,seeds\nmedian,1,2,2,2,1\nall,1,3,3,3,1\n");
}

static void read_table(struct lab_csv *csv, const char *table)
{
    struct lab_why why;
    lab_csv_init(csv);
    assert_int_equal(file_write(at("f.csv"), table, strlen(table), 0644), 0);
    assert_int_equal(lab_csv_read(csv, at("f.csv"), NULL, &why), 0);
}

/* All series of a figure, as "name colour/dash|..."; and what the figure says that it left out. */
static char *series_of(const char *table, const struct lab_figure *drawn, char **note)
{
    struct lab_csv csv;
    struct lab_plot plot;
    struct lab_text text;
    struct lab_why why;
    read_table(&csv, table);
    lab_text_open(&text);
    *note = NULL;
    int rc = lab_choice_plot(&plot, drawn, &csv, &why);
    if (rc != 0) {
        fputs(why.text, text.out);
    } else {
        for (size_t i = 0; i < plot.series_count; i++)
            fprintf(text.out, "%s %zu/%zu|", plot.series[i].name, plot.series[i].colour,
                    plot.series[i].dash);
        *note = plot.note;
        plot.note = NULL;
        lab_plot_free(&plot);
    }
    lab_csv_free(&csv);
    return lab_text_take(&text, NULL);
}

static void assert_series(const char *table, const struct lab_figure *drawn, const char *expected,
                          const char *expected_note)
{
    char *note, *series = series_of(table, drawn, &note);
    assert_string_equal(series, expected);
    assert_string_equal(note != NULL ? note : "", expected_note);
    free(note);
    free(series);
}

static void variants_have_colours_and_points_dashes(void **state)
{
    static const char table[] = "loss,variant,seed,x,y\n0,main,1,1,1\n0,pull,1,1,1\n"
                                "0,paper,1,1,1\n1,main,1,1,1\n1,pull,1,1,1\n1,paper,1,1,1\n";
    struct lab_figure drawn = {.table = "t", .x = "x", .y = "y", .by = "variant"};
    (void)state;
    assert_series(table, &drawn,
                  "main, loss 0 0/0|pull, loss 0 1/0|paper, loss 0 2/0|"
                  "main, loss 1 0/1|pull, loss 1 1/1|paper, loss 1 2/1|",
                  "");
    /* Of a single variant each point has a colour. */
    drawn.variants = "pull";
    assert_series(table, &drawn, "loss 0 0/0|loss 1 1/0|", "");
    drawn.variants = "paper,main";
    assert_series(table, &drawn,
                  "main, loss 0 0/0|paper, loss 0 1/0|main, loss 1 0/1|paper, loss 1 1/1|", "");
    /* Where none of them has been run, what there is is better than nothing. */
    drawn.variants = "other,mai";
    assert_series(table, &drawn,
                  "main, loss 0 0/0|pull, loss 0 1/0|paper, loss 0 2/0|"
                  "main, loss 1 0/1|pull, loss 1 1/1|paper, loss 1 2/1|",
                  "");
}

static void too_many_lines_are_those_of_the_plain_run(void **state)
{
    struct lab_text text;
    struct lab_figure drawn = {.table = "t", .x = "x", .y = "y", .by = "variant"};
    (void)state;
    lab_text_open(&text);
    fputs("loss,variant,seed,x,y\n", text.out);
    for (int loss = 0; loss < 3; loss++) {
        for (int v = 0; v < 12; v++)
            fprintf(text.out, "%d,v%d,1,1,1\n", loss, v);
    }
    char *table = lab_text_take(&text, NULL);
    assert_series(table, &drawn, "loss 0 0/0|loss 1 1/0|loss 2 2/0|",
                  "Shown is v0 alone: with the other variants there would be 36 lines.");
    drawn.style = LAB_STYLE_HEATMAP;
    drawn.y = "loss,y";
    drawn.x = "x";
    drawn.variants = "v1,v2";
    assert_series(table, &drawn, "loss 0 0/0|loss 1 1/0|loss 2 2/0|",
                  "Shown is v1 alone: with the other variants there would be 6 panels.");
    drawn = (struct lab_figure){.table = "t", .x = "loss", .y = "y", .style = LAB_STYLE_BARS};
    assert_series(table, &drawn, "12 bars side by side are too many for one figure", "");
    free(table);
}

static char *script_of(const char *table, const struct lab_figure *drawn)
{
    struct lab_csv csv;
    struct lab_plot plot;
    struct lab_text text;
    struct lab_why why;
    read_table(&csv, table);
    assert_int_equal(lab_choice_plot(&plot, drawn, &csv, &why), 0);
    lab_text_open(&text);
    lab_script(text.out, drawn, &plot);
    lab_plot_free(&plot);
    lab_csv_free(&csv);
    return lab_text_take(&text, NULL);
}

static void axes_have_words(void **state)
{
    static const char table[] = "variant,seed,a,b,v\nmain,1,1,2,0\nmain,1,2,2,0.25\n";
    char *text = script_of(table, &(struct lab_figure){.table = "t",
                                                       .x = "a",
                                                       .y = "b,v",
                                                       .style = LAB_STYLE_HEATMAP,
                                                       .x_names = "1=no NAT,2=address restricted",
                                                       .y_names = "v=share \"of\" all,2=two"});
    (void)state;
    assert_has(text, "set xtics (\"no NAT\" 1, \"address\\nrestricted\" 2)\n");
    assert_has(text, "set ytics (\"two\" 2)\n");
    assert_has(text, "set label \"Colour: share \\\"of\\\" all\"");
    assert_has(text, "2 2 0.25 0.25 1118481\n"); /* dark on the lightest */
    free(text);

    text = script_of(table, &(struct lab_figure){.table = "t",
                                                 .x = "variant",
                                                 .y = "v",
                                                 .style = LAB_STYLE_BARS,
                                                 .x_names = "main=as it comes"});
    assert_has(text, "(\"as it comes\" 0)");
    free(text);
}

/* From 0 to 1, and on to the edge: 5 % behind the last of all curves. */
static void shares_begin_at_0_and_go_on_at_1(void **state)
{
    static const char table[] = "variant,seed,a\nmain,1,40\nmain,2,80\nlong,1,100\n";
    struct lab_figure drawn = {.table = "t",
                               .x = "a",
                               .y = "share",
                               .style = LAB_STYLE_CDF,
                               .has_bar = true,
                               .bar = 60,
                               .bar_text = "goal"};
    (void)state;
    char *text = script_of(table, &drawn);
    assert_has(text, "set xrange [0:105]\n");
    assert_has(text, "$data0 << EOD\n0 0 0 0 0\n40 0 0 0 0\n40 0.5 0.5 0.5 0.5\n"
                     "80 0.5 0.5 0.5 0.5\n80 1 1 1 1\n105 1 1 1 1\nEOD\n");
    assert_has(text, "NaN with lines");
    assert_has(text, "title \"goal\"");
    free(text);

    /* Where the axis ends sooner, those beyond it still count. */
    drawn.has_x_max = true;
    drawn.x_max = 50;
    text = script_of(table, &drawn);
    assert_has(text, "set xrange [0:50]\n");
    assert_has(text, "40 0.5 0.5 0.5 0.5\n80 0.5 0.5 0.5 0.5\n");
    free(text);
}

static void a_script_runs_nothing(void **state)
{
    struct lab_text text;
    (void)state;
    lab_text_open(&text);
    lab_script_text(text.out, "a `touch x` \"b\" \\n\nc", 0);
    char *quoted = lab_text_take(&text, NULL);
    assert_string_equal(quoted, "\"a 'touch x' \\\"b\\\" \\\\n c\"");
    free(quoted);
}

static void drawings_are_cleaned(void **state)
{
    static const char raw[] =
        "<?xml version=\"1.0\"?>\n<svg \n viewBox=\"0 0 7 4\"\n xmlns:xlink=\"http://x\">\n"
        "<title>Gnuplot</title>\n<defs><circle id='gpDot' r='0.5'/></defs>\n"
        "<g fill=\"none\" color=\"black\">\n</g>\n<g color=\"white\"><text> id='a' </text>\n</g>\n"
        "<path stroke='black' class=\"gridline\" d='M1,2'/>\n"
        "<use xlink:href='#gpDot' color='rgb(  0, 114, 178)'/><use xlink:href='#gpDot' "
        "color='white'/>\n</svg>\n";
    struct lab_svg how = {.prefix = "f1-", .label = "a<b"};
    char *clean = lab_svg_clean(raw, &how);
    (void)state;
    assert_string_equal(clean,
                        "<svg viewBox=\"0 0 7 4\" role=\"img\" font-family=\"sans-serif\" "
                        "aria-label=\"a&lt;b\"><defs><circle id=\"f1-gpDot\" r=\"0.5\"/></defs>"
                        "<g><text> id='a' </text></g>"
                        "<path d=\"M1,2\" stroke=\"currentColor\" stroke-opacity=\"0.16\"/>"
                        "<use href=\"#f1-gpDot\" color=\"rgb(  0, 114, 178)\"/></svg>");
    free(clean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_go_through_quotes),
        cmocka_unit_test(tables_with_other_columns_go_together),
        cmocka_unit_test(figures_have_the_right_numbers),
        cmocka_unit_test(figures_tell_what_is_missing),
        cmocka_unit_test(names_are_put_into_words),
        cmocka_unit_test(variants_have_colours_and_points_dashes),
        cmocka_unit_test(too_many_lines_are_those_of_the_plain_run),
        cmocka_unit_test(axes_have_words),
        cmocka_unit_test(shares_begin_at_0_and_go_on_at_1),
        cmocka_unit_test(a_script_runs_nothing),
        cmocka_unit_test(drawings_are_cleaned),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
