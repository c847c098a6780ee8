/*
 * Goal of this test: the tests of `hearsay doctor` find what is wrong in what a daemon says of
 * itself, no more than that, and say what to do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The program has no archive; these are what it is made of. */
#include "src/cli/bytes.c"
#include "src/cli/doctor.c"
#include "src/cli/doctor_node.c"
#include "src/cli/doctor_peers.c"
#include "src/cli/out.c"

/* Nothing is wrong with this one. */
static const char healthy[] =
    "{'status': {'version': '" HSAY_VERSION "', 'pid': 1, 'uptime_seconds': 100,"
    "  'clock': {'unix_seconds': 1800000000, 'trusted': true, 'created_seconds': 1790000000},"
    "  'listen': ['0.0.0.0:6421'], 'datagrams_in': 1000, 'datagrams_out': 1000,"
    "  'store': {'path': '/s', 'disk_bytes': 1, 'free_bytes': 1000000000, 'read_only': false},"
    "  'overlays': [{'name': 'news', 'quota_bytes': 1000, 'bundle_bytes': 100, 'full': false,"
    "    'named': 1, 'last_contact_seconds': 1.0, 'health': 'ok', 'why': 'in sync'}]},"
    " 'stats': {'daemon': {'datagrams_refused': 0, 'datagrams_overflowed': 0}},"
    " 'nat': {'ip4': {'addr': '20.1.1.1:6421', 'nat': 'independent', 'why': 'W', 'seen': [{}]},"
    "  'ip6': {'addr': null, 'nat': 'unknown', 'why': 'W', 'seen': []},"
    "  'port_mapping': {'mode': 'auto', 'ports': []},"
    "  'punctures': [{'connected': 8, 'failed': 2}, {'connected': 7, 'failed': 3}]},"
    " 'peers': [[{'bucket': 'trusted', 'age_ms': 5}, {'bucket': 'contacted', 'age_ms': 5}]]}";

/* ' stands for " */
static json_t *parsed(const char *text)
{
    char *copy = must_print("%s", text);
    for (char *at = copy; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    json_t *object = json_loads(copy, 0, NULL);
    assert_non_null(object);
    free(copy);
    return object;
}

/* One thing is otherwise, and one finding of that test says so. */
struct ill {
    void (*test)(struct doctor *);
    const char *change; /* what differs from the healthy one */
    enum verdict verdict;
    const char *words;  /* of its message */
    const char *advice; /* words of it; NULL: none */
};

static json_t *examine(const struct ill *ill, enum verdict *worst)
{
    json_t *said = parsed(healthy), *change = parsed(ill->change);
    assert_int_equal(json_object_update_recursive(said, change), 0);
    struct doctor doctor = {.findings = json_array(),
                            .status = json_object_get(said, "status"),
                            .stats = json_object_get(said, "stats"),
                            .nat = json_object_get(said, "nat"),
                            .peers = json_object_get(said, "peers")};
    ill->test(&doctor);
    *worst = doctor.worst;
    json_decref(said);
    json_decref(change);
    return doctor.findings;
}

static void expect(const struct ill *ill)
{
    enum verdict worst;
    json_t *findings = examine(ill, &worst), *found = NULL, *one;
    size_t i;
    json_array_foreach(findings, i, one)
    {
        if (strcmp(field_text(one, "result"), verdict_name[ill->verdict]) == 0)
            found = one;
    }
    if (worst != ill->verdict || !strstr(field_text(found, "message"), ill->words) ||
        (ill->advice ? !strstr(field_text(found, "advice"), ill->advice)
                     : !json_is_null(json_object_get(found, "advice"))))
        fail_msg("%s: %s", ill->change, json_dumps(findings, 0));
    json_decref(findings);
}

#define OVERLAY(fields) "{'status': {'overlays': [{'name': 'news', " fields "}]}"
#define NAT4(fields)    "{'nat': {'ip4': {" fields "}}}"
#define MAPPING(fields) "{'nat': {'ip4': {'nat': 'symmetric'}, 'port_mapping': {" fields "}}}"
#define PORT(fields)    MAPPING("'ports': [{'port': 6421, " fields "}]")
#define STORE(fields)   "{'status': {'store': {" fields "}}}"
#define CLOCK(fields)   "{'status': {'clock': {" fields "}}}"

static const struct ill node_ills[] = {
    {doctor_daemon, "{}", VERDICT_OK, "pid 1", NULL},
    {doctor_daemon, "{'status': {'version': '9.9'}}", VERDICT_WARNING, "9.9",
     "start hearsayd again"},

    {doctor_socket, "{}", VERDICT_OK, "1,000 datagrams in", NULL},
    {doctor_socket, "{'status': {'datagrams_in': 0}}", VERDICT_PROBLEM, "none has come",
     "firewall"},
    {doctor_socket, "{'status': {'datagrams_in': 0, 'uptime_seconds': 3}}", VERDICT_OK, "0 datag",
     NULL},
    {doctor_socket, "{'stats': {'daemon': {'datagrams_refused': 101}}}", VERDICT_PROBLEM,
     "refused 101", "way out"},
    {doctor_socket, "{'status': {'listen': ['127.0.0.1:1', '[::1]:1']}}", VERDICT_WARNING,
     "127.0.0.1:1, [::1]:1: only this machine", "listen"},
    {doctor_socket, "{'status': {'listen': ['127.0.0.1:1', '[::]:1']}}", VERDICT_OK, "[::]:1",
     NULL},
    {doctor_socket, "{'stats': {'daemon': {'datagrams_overflowed': 11}}}", VERDICT_WARNING,
     "11 datagrams", "rmem_max"},

    {doctor_clock, "{}", VERDICT_OK, "2027-01-15 08:00:00 UTC", NULL},
    {doctor_clock, CLOCK("'unix_seconds': 3"), VERDICT_PROBLEM, "not 1970-01-01", "NTP"},
    {doctor_clock, CLOCK("'unix_seconds': 5000000000"), VERDICT_PROBLEM, "not 2128", "NTP"},
    {doctor_clock, CLOCK("'created_seconds': 1800090000"), VERDICT_PROBLEM, "before", "NTP"},
    {doctor_clock, CLOCK("'created_seconds': null"), VERDICT_OK, "2027", NULL},
    {doctor_clock, CLOCK("'trusted': false"), VERDICT_WARNING, "jumped", NULL},

    {doctor_store, "{}", VERDICT_OK, "953.7 MiB free", NULL},
    {doctor_store, STORE("'read_only': true"), VERDICT_PROBLEM, "takes nothing more", "make room"},
    {doctor_store, STORE("'free_bytes': 20000000"), VERDICT_WARNING, "19.1 MiB left", "make room"},
    {doctor_store, STORE("'free_bytes': 1000"), VERDICT_PROBLEM, "1000 B left", "make room"},
    {doctor_store, STORE("'free_bytes': null"), VERDICT_OK, "/s: 1 B", NULL},

    {doctor_quota, "{}", VERDICT_OK, "news: 100 B of bundles, 10.0 % of 1000 B", NULL},
    {doctor_quota, OVERLAY("'quota_bytes': 100, 'bundle_bytes': 90, 'full': false") "}",
     VERDICT_WARNING, "90.0 %", "raise"},
    {doctor_quota, OVERLAY("'quota_bytes': 100, 'bundle_bytes': 90, 'full': true") "}",
     VERDICT_PROBLEM, "full", "raise"},
    {doctor_quota, OVERLAY("'quota_bytes': 0, 'bundle_bytes': 90, 'full': false") "}", VERDICT_OK,
     "no bound", NULL},
};

static const struct ill peer_ills[] = {
    {doctor_peers, "{}", VERDICT_OK, "1 of 1 named peers have answered lately; 1 others", NULL},
    {doctor_peers, "{'status': {'overlays': []}}", VERDICT_WARNING, "no overlay", "overlay new"},
    {doctor_peers, OVERLAY("'named': 0, 'last_contact_seconds': null") ", 'peers': [[]]}",
     VERDICT_PROBLEM, "no peer is known", "peer add"},
    {doctor_peers, OVERLAY("'named': 2, 'last_contact_seconds': null") ", 'peers': [[]]}",
     VERDICT_PROBLEM, "of 2 named peers none has an address", "name server"},
    {doctor_peers,
     OVERLAY(
         "'named': 1, 'last_contact_seconds': null, 'health': 'problem'") ", 'peers': [[{'bucket': "
                                                                          "'trusted', 'age_ms': "
                                                                          "null}]]}",
     VERDICT_PROBLEM, "none of 1 named peers has answered", "check"},
    {doctor_peers, "{'peers': [[{'bucket': 'trusted', 'age_ms': null}, {'bucket': 'requested'}]]}",
     VERDICT_WARNING, "none of 1 named peers has answered; 1 others", "check"},
    {doctor_peers, "{'peers': [[{'bucket': 'trusted', 'age_ms': null, 'answered': true}]]}",
     VERDICT_WARNING, "1 named peers 1 answered once, but none lately", "still run"},
    {doctor_peers, OVERLAY("'named': 3, 'last_contact_seconds': 1.0") "}", VERDICT_WARNING,
     "of 3 named peers only 1 has an address", "name server"},
    {doctor_peers,
     "{'peers': [[{'bucket': 'requested'}]], 'status': {'overlays': [{'name': 'x'}]}}", VERDICT_OK,
     "x: 1 peers are known, of whom none was named", NULL},

    {doctor_nat, "{}", VERDICT_OK, "IPv4 20.1.1.1:6421, independent: W", NULL},
    {doctor_nat, NAT4("'nat': 'public'"), VERDICT_OK, "public", NULL},
    {doctor_nat, NAT4("'nat': 'symmetric'"), VERDICT_WARNING, "symmetric", "forward"},
    {doctor_nat, NAT4("'addr': null, 'nat': 'unknown', 'seen': []"), VERDICT_WARNING,
     "IPv4 of no known address", "wait"},
    {doctor_nat,
     "{'nat': {'bound': '[2a00::1]:1', 'ip4': {'addr': null, 'nat': 'unknown', 'seen': []}}}",
     VERDICT_WARNING, "IPv6 of no known address", "wait"},
    {doctor_nat,
     "{'nat': {'ip4': {'addr': null, 'nat': 'unknown', 'seen': []},"
     " 'ip6': {'addr': '[2a00::1]:1', 'nat': 'public'}}}",
     VERDICT_OK, "IPv6 [2a00::1]:1, public", NULL},

    {doctor_mapping, "{}", VERDICT_OK, "no port that a gateway could map", NULL},
    {doctor_mapping, MAPPING("'mode': 'no'"), VERDICT_WARNING, "not asked", "port-mapping"},
    {doctor_mapping, "{'nat': {'port_mapping': {'mode': 'no'}}}", VERDICT_OK, "switched off", NULL},
    {doctor_mapping, PORT("'external': '20.1.1.1:9', 'protocol': 'pcp'"), VERDICT_OK,
     "20.1.1.1:9 leads to port 6421, by pcp", NULL},
    {doctor_mapping, PORT("'external': null, 'error': null"), VERDICT_OK, "asking", NULL},
    {doctor_mapping, PORT("'external': null, 'error': 'E'"), VERDICT_WARNING, "not mapped: E",
     "UPnP"},
    {doctor_mapping,
     "{'nat': {'port_mapping': {'ports': [{'port': 6421, 'external': null, 'error': 'E'}]}}}",
     VERDICT_OK, "not mapped: E", NULL},

    {doctor_punctures, "{}", VERDICT_OK, "15 of 20 who were introduced have answered", NULL},
    {doctor_punctures, "{'nat': {'punctures': [{'connected': 4, 'failed': 6}]}}", VERDICT_WARNING,
     "4 of 10", "--matrix"},
    {doctor_punctures, "{'nat': {'punctures': [{'connected': 1, 'failed': 9}]}}", VERDICT_PROBLEM,
     "1 of 10", "--matrix"},
    {doctor_punctures, "{'nat': {'punctures': [{'connected': 0, 'failed': 9}]}}", VERDICT_OK,
     "0 of 9 who were introduced have answered; too few to tell", NULL},
    {doctor_punctures, "{'nat': {'punctures': []}}", VERDICT_OK, "0 of 0", NULL},

    {doctor_sync, "{}", VERDICT_OK, "news: in sync", NULL},
    {doctor_sync, OVERLAY("'health': 'warning', 'why': 'W'") "}", VERDICT_WARNING, "news: W", NULL},
    {doctor_sync, OVERLAY("'health': 'problem', 'why': 'W'") "}", VERDICT_PROBLEM, "news: W", NULL},
};

static void test_the_node(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof node_ills / sizeof *node_ills; i++)
        expect(&node_ills[i]);
}

static void test_the_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof peer_ills / sizeof *peer_ills; i++)
        expect(&peer_ills[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_node),
        cmocka_unit_test(test_the_others),
    };
    return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
