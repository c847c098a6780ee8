#include "src/lab/nat/node.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "hearsay/error.h"

enum { START_WAIT_MS = 20000, LOOK_MS = 200 };

#define OVERLAY "lab"

static const char *path_in(const struct natlab_node *node, const char *file,
                           char path[NATLAB_PATH_BYTES])
{
    snprintf(path, NATLAB_PATH_BYTES, "%.*s/%s", NATLAB_PATH_BYTES - 16, node->folder, file);
    return path;
}

/* --- starting -------------------------------------------------------------------------------- */

static int write_config(const char *path, const struct natlab_program *program, struct lab_why *why)
{
    FILE *file = fopen(path, "we");
    bool good = file != NULL;
    if (good && program->search != NULL)
        good = fprintf(file, "[node]\nport-search = %s\n", program->search) > 0;
    if (file != NULL && fclose(file) != 0)
        good = false;
    return good ? 0 : lab_why_set(why, HSAY_EIO, "%s: %s", path, strerror(errno));
}

int natlab_node_start(struct natlab_node *node, const struct natlab_program *program,
                      const char *folder, struct lab_why *why)
{
    char config[NATLAB_PATH_BYTES], control[NATLAB_PATH_BYTES], log[NATLAB_PATH_BYTES];
    char listen[32], step[32];
    node->control.fd = node->trace.fd = -1;
    snprintf(node->folder, sizeof node->folder, "%s/%s", folder, node->name);
    snprintf(listen, sizeof listen, "0.0.0.0:%u", node->host->port);
    snprintf(step, sizeof step, "%ums", program->step_ms);
    path_in(node, "config", config);
    path_in(node, "control", control);
    path_in(node, "log", log);
    if (mkdir(node->folder, 0700) != 0)
        return lab_why_set(why, HSAY_EIO, "%s: %s", node->folder, strerror(errno));
    const char *const argv[] = {program->path,
                                "--config",
                                config,
                                "--state",
                                node->folder,
                                "--control",
                                control,
                                "--step",
                                step,
                                "--listen",
                                listen,
                                "--lan-beacons",
                                program->beacons ? "yes" : "no",
                                "--port-mapping",
                                "no",
                                NULL};
    int rc = write_config(config, program, why);
    return rc == 0 ? natlab_place_start(&node->host->place, argv, log, &node->pid, why) : rc;
}

/* The last line that it logged, for whoever wonders why it does not run. */
static void last_words(const struct natlab_node *node, char *text, size_t size)
{
    char path[NATLAB_PATH_BYTES], line[512];
    FILE *file = fopen(path_in(node, "log", path), "re");
    text[0] = '\0';
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        snprintf(text, size, "%.*s", (int)strcspn(line, "\n"), line);
    if (file != NULL)
        fclose(file);
}

static int read_key(struct natlab_node *node, struct lab_why *why)
{
    json_t *status = natlab_control_ask(&node->control, why, "status");
    const char *key = json_string_value(json_object_get(json_array_get(status, 0), "node_key"));
    if (key != NULL)
        snprintf(node->key, sizeof node->key, "%s", key);
    json_decref(status);
    return key != NULL ? 0 : HSAY_EIO;
}

/* One that has ended need not be waited for. */
static int wait_for_socket(struct natlab_node *node, struct lab_why *why)
{
    char path[NATLAB_PATH_BYTES];
    int rc = HSAY_EIO;
    path_in(node, "control", path);
    for (unsigned waited = 0; rc != 0 && waited < START_WAIT_MS; waited += LOOK_MS) {
        rc = natlab_control_open(&node->control, path, LOOK_MS, why);
        if (waitpid(node->pid, NULL, WNOHANG) == node->pid)
            return HSAY_EIO;
    }
    return rc;
}

int natlab_node_await(struct natlab_node *node, struct lab_why *why)
{
    char words[512];
    int rc = wait_for_socket(node, why);
    if (rc == 0)
        return read_key(node, why);
    last_words(node, words, sizeof words);
    return lab_why_set(why, rc, "hearsayd does not start: %s", words);
}

/* --- the overlay ----------------------------------------------------------------------------- */

static int follow(struct natlab_node *node, struct lab_why *why)
{
    char path[NATLAB_PATH_BYTES];
    int rc = natlab_control_open(&node->trace, path_in(node, "control", path), START_WAIT_MS, why);
    return rc == 0 ? natlab_control_follow(&node->trace, "trace " OVERLAY, why) : rc;
}

int natlab_node_found(struct natlab_node *node, char join[NATLAB_JOIN_BYTES], struct lab_why *why)
{
    json_t *made = natlab_control_ask(&node->control, why, "overlay-new " OVERLAY);
    const char *text = json_string_value(json_object_get(json_array_get(made, 0), "join"));
    int rc = text != NULL ? 0 : HSAY_EIO;
    if (text != NULL)
        snprintf(join, NATLAB_JOIN_BYTES, "%s", text);
    json_decref(made);
    return rc == 0 ? follow(node, why) : rc;
}

int natlab_node_join(struct natlab_node *node, const char *join, struct lab_why *why)
{
    json_t *done = natlab_control_ask(&node->control, why, "overlay-join " OVERLAY " %s", join);
    int rc = done != NULL ? follow(node, why) : HSAY_EIO;
    json_decref(done);
    return rc;
}

int natlab_node_meet(struct natlab_node *node, const struct natlab_host *host, unsigned hosts,
                     struct lab_why *why)
{
    for (unsigned i = 0; i < hosts; i++) {
        json_t *done = natlab_control_ask(&node->control, why, "peer-add " OVERLAY " %s:%u",
                                          host[i].outside, host[i].port);
        if (done == NULL)
            return HSAY_EIO;
        json_decref(done);
    }
    return 0;
}

/* --- what it knows --------------------------------------------------------------------------- */

static enum hsay_bucket bucket_called(const char *name)
{
    for (int b = 0; name != NULL && b < HSAY_BUCKET_COUNT; b++)
        if (strcmp(hsay_bucket_name((enum hsay_bucket)b), name) == 0)
            return (enum hsay_bucket)b;
    return HSAY_BUCKET_NONE;
}

json_t *natlab_node_peers(struct natlab_node *node, struct lab_why *why)
{
    return natlab_control_ask(&node->control, why, "peers " OVERLAY);
}

enum hsay_bucket natlab_node_bucket(struct natlab_node *node, const char *key)
{
    struct lab_why why;
    enum hsay_bucket bucket = HSAY_BUCKET_NONE;
    json_t *peers = natlab_node_peers(node, &why), *peer;
    size_t i;
    json_array_foreach(peers, i, peer)
    {
        const char *its = json_string_value(json_object_get(peer, "key"));
        if (its != NULL && strcmp(its, key) == 0)
            bucket = bucket_called(json_string_value(json_object_get(peer, "bucket")));
    }
    json_decref(peers);
    return bucket;
}

double natlab_node_count(struct natlab_node *node, const char *counter)
{
    struct lab_why why;
    json_t *stats = natlab_control_ask(&node->control, &why, "stats");
    const json_t *counters = json_object_get(json_array_get(stats, 0), "counters");
    double count = (double)json_integer_value(json_object_get(counters, counter));
    json_decref(stats);
    return count;
}

/* --- bundles --------------------------------------------------------------------------------- */

/* The body ends with the line that carries it. */
int natlab_node_publish(struct natlab_node *node, char digest[NATLAB_DIGEST_TEXT_BYTES],
                        struct lab_why *why)
{
    json_t *made = natlab_control_ask(&node->control, why, "pub " OVERLAY " 1 0 5\nkept");
    const char *text = json_string_value(json_object_get(json_array_get(made, 0), "digest"));
    int rc = text != NULL ? 0 : HSAY_EIO;
    snprintf(digest, NATLAB_DIGEST_TEXT_BYTES, "%s", text != NULL ? text : "");
    json_decref(made);
    return rc;
}

int natlab_node_holds(struct natlab_node *node, const char *digest, bool *holds,
                      struct lab_why *why)
{
    json_t *digests = natlab_control_ask(&node->control, why, "digests " OVERLAY), *each;
    size_t i;
    *holds = false;
    if (digests == NULL)
        return HSAY_EIO;
    json_array_foreach(digests, i, each)
    {
        const char *its = json_string_value(json_object_get(each, "d"));
        *holds |= its != NULL && strcmp(its, digest) == 0;
    }
    json_decref(digests);
    return 0;
}
