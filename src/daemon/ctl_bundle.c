/* Verbs about bundles: pub, sub, show, digests. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "src/common/base64.h"
#include "src/common/hex.h"
#include "src/daemon/ctl_conn.h"
#include "src/daemon/json_value.h"
#include "src/sync/bundle.h"

enum {
    HELD_MAX = 512, /* bundles of one commit: half of what LMDB's port takes in one transaction */
    PRODUCE_MAX = 256, /* of a long answer at a time */
};

/* As text when it is text, else in base64. */
static void payload_set(json_t *object, struct hsay_span payload)
{
    json_t *text = json_stringn((const char *)payload.data, payload.size);
    char base64[BASE64_TEXT_BYTES(HSAY_BUNDLE_MAX_BYTES)];

    if (text) {
        json_object_set_new(object, "payload", text);
        return;
    }
    base64_format(base64, payload.data, payload.size);
    json_object_set_new(object, "payload_base64", json_string(base64));
}

static json_t *json_bundle(const struct hsay_bundle *bundle)
{
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o}", "id", json_hex(bundle->id.byte, sizeof bundle->id.byte),
        "author", json_hex(bundle->author.byte, HSAY_KEY_BYTES), "sequence",
        json_number(bundle->sequence), "global_time", json_number(bundle->time), "type",
        json_number(bundle->type), "expiry_s", json_number(bundle->expiry_s));

    if (object) {
        payload_set(object, bundle->payload);
    }
    return object;
}

/* ---- pub ------------------------------------------------------------------------------------ */

/* What to answer when the commit is done. */
static void hold_answer(struct ctl_conn *conn, const struct hsay_id *id,
                        const struct hsay_record *record)
{
    char hex[2 * HSAY_ID_BYTES + 1];
    char line[512];
    int size;

    hex_format(hex, id->byte, sizeof id->byte);
    size = snprintf(line, sizeof line,
                    "{\"id\":\"%s\",\"digest\":\"%.32s\",\"sequence\":%llu,\"global_time\":%llu,"
                    "\"bytes\":%zu}\n{\"ok\":true}\n",
                    hex, hex, (unsigned long long)record->sequence,
                    (unsigned long long)record->at.time, record->bytes.size);
    ctl_put_text(&conn->held, line, (size_t)size);
    conn->held_count++;
}

static enum ctl_result pub_refuse(struct ctl_conn *conn, int rc, const struct overlay *overlay)
{
    if (rc == HSAY_ENOSPC && !conn->d->overlays.door.shut) {
        return ctl_refuse(conn, CTL_FULL,
                          "overlay %s is full: its quota of %llu bytes is reached; "
                          "raise `quota`, or leave overlays",
                          overlay->name, (unsigned long long)overlay->quota_bytes);
    }
    if (rc == HSAY_ENOSPC) {
        return ctl_refuse(conn, CTL_FULL, "the disk of %s takes nothing more", conn->d->state);
    }
    if (rc == HSAY_EINVAL) {
        return ctl_refuse(conn, CTL_USAGE,
                          "type or expiry is out of bounds, or another node signs with this "
                          "author's key");
    }
    return ctl_refuse_rc(conn, rc);
}

static int draft_read(struct hsay_draft *draft, const struct request *request)
{
    uint64_t after_s;

    if (request_number(request->word[2], HSAY_TIME_MAX, &draft->type) ||
        request_number(request->word[3], HSAY_TIME_MAX / 2, &after_s)) {
        return HSAY_EBAD;
    }
    draft->expiry_s = after_s ? (uint64_t)time(NULL) + after_s : 0;
    draft->payload = request->body;
    return 0;
}

enum ctl_result ctl_on_pub(struct ctl_conn *conn, const struct request *request)
{
    struct daemon *d = conn->d;
    struct overlay *overlay = ctl_overlay(conn, request->word[1]);
    struct hsay_draft draft = {.author_secret = d->author_secret};
    struct hsay_outbox *out;
    struct hsay_record record;
    struct hsay_digest digest;
    struct hsay_id id;
    int rc;

    if (!overlay) {
        return CTL_REFUSED;
    }
    if (request->body.size > HSAY_PAYLOAD_MAX_BYTES) {
        return ctl_refuse(conn, CTL_TOO_LARGE, "%zu bytes; a bundle takes %d at most",
                          request->body.size, HSAY_PAYLOAD_MAX_BYTES);
    }
    if (draft_read(&draft, request)) {
        return ctl_refuse(conn, CTL_USAGE, "usage: pub OVERLAY TYPE EXPIRY_S SIZE");
    }
    out = turn_room(d);
    if (d->stopping) {
        return ctl_refuse(conn, CTL_STORE, "the daemon is about to stop");
    }
    draft.overlay = overlay->number;
    rc = marks_cover(d, overlay, &draft);
    if (rc == HSAY_EIO || rc == HSAY_EBAD) {
        return ctl_refuse(conn, CTL_STORE, "cannot keep %s/marks: %s", d->state,
                          rc == HSAY_EIO ? strerror(errno) : "it is not hearsayd's; move it away");
    }
    if (!rc) {
        rc = hsay_node_on_publish(d->node, turn_now(d), &draft, &id, out);
    }
    if (!rc) {
        memcpy(digest.byte, id.byte, sizeof digest.byte);
        rc = overlay->store.ops->get(overlay->store.self, &digest, &record);
    }
    if (rc == HSAY_EBUDGET) {
        return CTL_LATER; /* global time moves only so fast: the publisher waits for it */
    }
    if (rc) {
        return pub_refuse(conn, rc, overlay);
    }
    hold_answer(conn, &id, &record);
    if (conn->held_count >= HELD_MAX) {
        turn_settle(d);
    }
    return CTL_HELD;
}

/* ---- walking through the store, some at a time ---------------------------------------------- */

/* The place behind `at` in time order. */
static struct hsay_position after(const struct hsay_position *at)
{
    struct hsay_position next = *at;

    for (size_t i = sizeof next.digest.byte; i-- > 0;) {
        if (++next.digest.byte[i]) {
            return next;
        }
    }
    next.time++;
    return next;
}

/* A cursor from conn->next on.  HSAY_ENOENT: nothing is there. */
static int walk_on(struct ctl_conn *conn, const struct hsay_store *store,
                   struct hsay_cursor *cursor, uint64_t *left)
{
    struct hsay_range all = {0, UINT64_MAX, 1, 0, HSAY_SLICE_NONE};
    struct hsay_store_info info;
    uint64_t rank;
    int rc;

    all.time_high = HSAY_TIME_MAX;
    store->ops->info(store->self, &info);
    rc = store->ops->rank_of(store->self, &conn->next, &rank);
    if (rc || rank >= info.bundles) {
        return rc ? rc : HSAY_ENOENT;
    }
    *left = info.bundles - rank; /* the walk wraps around, we do not */
    return store->ops->walk(store->self, &all, rank, cursor);
}

/* Calls `put` for some bundles from conn->next on; true: that was all, or the overlay is gone. */
static bool produce(struct ctl_conn *conn, bool want_bytes,
                    void (*put)(struct ctl_conn *conn, const struct hsay_position *at,
                                const struct hsay_record *record))
{
    struct overlay *overlay = ctl_conn_overlay(conn);
    const struct hsay_store *store = overlay ? &overlay->store : NULL;
    struct hsay_cursor cursor;
    uint64_t left;

    if (!store || walk_on(conn, store, &cursor, &left)) {
        return true;
    }
    for (int i = 0; i < PRODUCE_MAX && left; i++, left--) {
        struct hsay_position at;
        struct hsay_record record;
        uint32_t work = UINT32_MAX;
        int rc = store->ops->next(store->self, &cursor, want_bytes, &work, &at, &record);

        if (rc == HSAY_ECORRUPT) {
            conn->next = after(&at); /* as good as missing; a later sweep fetches it again */
            return false;
        }
        if (rc) {
            return true;
        }
        conn->next = after(&at);
        put(conn, &at, &record);
    }
    return !left;
}

/* ---- digests -------------------------------------------------------------------------------- */

static void put_digest(struct ctl_conn *conn, const struct hsay_position *at,
                       const struct hsay_record *record)
{
    char hex[2 * HSAY_DIGEST_BYTES + 1];
    char line[96];
    int size;

    (void)record;
    hex_format(hex, at->digest.byte, sizeof at->digest.byte);
    size = snprintf(line, sizeof line, "{\"t\":%llu,\"d\":\"%s\"}\n", (unsigned long long)at->time,
                    hex);
    ctl_put_text(&conn->out, line, (size_t)size);
}

static bool more_digests(struct ctl_conn *conn)
{
    return produce(conn, false, put_digest);
}

enum ctl_result ctl_on_digests(struct ctl_conn *conn, const struct request *request)
{
    struct overlay *overlay = ctl_overlay(conn, request->word[1]);

    if (!overlay) {
        return CTL_REFUSED;
    }
    conn->overlay = overlay->join.overlay;
    conn->next = (struct hsay_position){0};
    conn->more = more_digests;
    return CTL_GOES_ON;
}

/* ---- sub ------------------------------------------------------------------------------------ */

static void put_bundle(struct ctl_conn *conn, struct hsay_span bytes)
{
    struct hsay_bundle bundle;

    if (!hsay_bundle_decode(&bundle, &conn->d->crypto, bytes) &&
        (conn->any_type || bundle.type == conn->type)) {
        ctl_put(conn, json_bundle(&bundle));
    }
}

static void put_record(struct ctl_conn *conn, const struct hsay_position *at,
                       const struct hsay_record *record)
{
    (void)at;
    put_bundle(conn, record->bytes);
}

static void put_following(struct ctl_conn *conn)
{
    ctl_put(conn, json_pack("{s:b}", "following", 1));
}

static bool more_history(struct ctl_conn *conn)
{
    bool done = produce(conn, true, put_record);

    if (done && conn->follow == FOLLOW_BUNDLES) {
        put_following(conn);
    }
    return done;
}

static bool before(const struct hsay_position *a, const struct hsay_position *b)
{
    if (a->time != b->time) {
        return a->time < b->time;
    }
    return memcmp(&a->digest, &b->digest, sizeof a->digest) < 0;
}

/* While history is being told, what is stored ahead of it will be met by the walk, and only what is
 * stored behind its back must be told here: so each bundle is told exactly once. */
void ctl_follow_bundle(struct ctl_conn *conn, const struct hsay_event *event)
{
    if (!conn->more || before(&event->position, &conn->next)) {
        put_bundle(conn, event->bytes);
    }
}

enum ctl_result ctl_on_sub(struct ctl_conn *conn, const struct request *request)
{
    struct overlay *overlay = ctl_overlay(conn, request->word[1]);
    uint64_t history, follow;

    if (!overlay) {
        return CTL_REFUSED;
    }
    conn->any_type = !strcmp(request->word[4], "-");
    if (request_number(request->word[2], HSAY_TIME_MAX, &history) ||
        request_number(request->word[3], 1, &follow) ||
        (!conn->any_type && request_number(request->word[4], HSAY_TIME_MAX, &conn->type))) {
        return ctl_refuse(conn, CTL_USAGE, "usage: sub OVERLAY HISTORY FOLLOW TYPE");
    }
    conn->overlay = overlay->join.overlay;
    conn->next = (struct hsay_position){.time = history};
    conn->more = history ? more_history : NULL;
    conn->follow = follow ? FOLLOW_BUNDLES : FOLLOW_NOTHING;
    if (!history && !follow) {
        return CTL_DONE;
    }
    if (!history) {
        put_following(conn);
    }
    return CTL_GOES_ON;
}

/* ---- show ----------------------------------------------------------------------------------- */

static json_t *json_parents(const struct hsay_bundle *bundle)
{
    json_t *list = json_array();

    for (size_t i = 0; i < bundle->parent_count; i++) {
        json_array_append_new(list,
                              json_hex(bundle->parents.data + i * HSAY_ID_BYTES, HSAY_ID_BYTES));
    }
    return list;
}

static json_t *json_flags(uint8_t flags)
{
    json_t *list = json_array();

    json_array_append_new(
        list,
        json_string((flags & HSAY_BUNDLE_DISTRIBUTION) == HSAY_BUNDLE_LAST ? "last" : "full"));
    if (flags & HSAY_BUNDLE_CAUSAL) {
        json_array_append_new(list, json_string("causal"));
    }
    return list;
}

/* An id, a digest, or the first 16 digits of either. */
static int record_find(const struct hsay_store *store, const char *word, struct hsay_record *out)
{
    struct hsay_id id;
    struct hsay_digest digest;
    struct hsay_position at;
    uint8_t head[8];
    uint64_t number = 0;
    int rc = 0;

    if (!hex_parse(id.byte, sizeof id.byte, word)) {
        memcpy(digest.byte, id.byte, sizeof digest.byte);
    } else if (!hex_parse(head, sizeof head, word)) {
        for (size_t i = 0; i < sizeof head; i++) {
            number = number << 8 | head[i];
        }
        rc = store->ops->find_short(store->self, number, &at);
        digest = at.digest;
    } else if (hex_parse(digest.byte, sizeof digest.byte, word)) {
        return HSAY_EBAD;
    }
    return rc ? rc : store->ops->get(store->self, &digest, out);
}

enum ctl_result ctl_on_show(struct ctl_conn *conn, const struct request *request)
{
    struct overlay *overlay = ctl_overlay(conn, request->word[1]);
    struct hsay_record record;
    struct hsay_bundle bundle;
    json_t *object;
    int rc;

    if (!overlay) {
        return CTL_REFUSED;
    }
    rc = record_find(&overlay->store, request->word[2], &record);
    if (rc == HSAY_EBAD) {
        return ctl_refuse(conn, CTL_USAGE,
                          "an id has 64 hex digits; 32 or the first 16 do as well");
    }
    if (!rc) {
        rc = hsay_bundle_decode(&bundle, &conn->d->crypto, record.bytes);
    }
    if (rc) {
        return rc == HSAY_ENOENT ? ctl_refuse(conn, CTL_NO_BUNDLE, "no such bundle is held")
                                 : ctl_refuse_rc(conn, rc);
    }
    object = json_bundle(&bundle);
    json_object_set_new(object, "parents", json_parents(&bundle));
    json_object_set_new(object, "flags", json_flags(bundle.flags));
    json_object_set_new(object, "bytes", json_number(record.bytes.size));
    json_object_set_new(object, "canonical_hex", json_hex(record.bytes.data, record.bytes.size));
    json_object_set_new(
        object, "signature_good",
        json_boolean(hsay_bundle_verify(&bundle, &conn->d->crypto, &overlay->join.overlay)));
    ctl_put(conn, object);
    return CTL_DONE;
}
