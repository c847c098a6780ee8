/*
 * Goal of this test: a search for ports is bounded by an account of the lab's own, and is a way
 * round no other invariant.
 */
#include "src/node/search.h"
#include "tests/lab/invariant_rig.h"

enum { HOST = 1 }; /* 0 is the tracker, which has no sockets for it */

static void begin_search(struct rig *r, const char *on)
{
    begin_with(r, "search", on);
    r->call.host = HOST;
}

/* Timers that send so many packets of a search to a host, ten in each. */
static void search(struct rig *r, const struct hsay_addr *host, unsigned packets)
{
    struct hsay_search *s = hsay_node_search(r->sim->host[HOST].node);
    assert_non_null(s);
    s->account.host = *host;
    s->way.role = HSAY_SEARCH_PROBES;
    for (unsigned i = 0; i < packets; i++) {
        struct hsay_addr to = *host;
        to.port = (uint16_t)(1024 + i % 500);
        add_letter(r, &to, HSAY_LEDGER_SEARCH_BYTES_MAX);
        if (i % 10 == 9 || i == packets - 1) {
            r->shard->now_ns += LAB_NS_PER_S / 10;
            turn(r, LAB_TURN_COMMITTED);
        }
    }
}

static void a_search_has_so_many_packets(void **state)
{
    struct rig r;
    struct hsay_addr to = strange(), other = address(8, STRANGE + 1, 6421);
    (void)state;
    begin_search(&r, "yes");
    search(&r, &to, HSAY_SEARCH_PROBED + 4);
    search(&r, &other, HSAY_SEARCH_PROBED + 4);
    assert_int_equal(broken(&r, LAB_INVARIANT_SEARCH), 0);
    assert_int_equal(broken(&r, LAB_INVARIANT_SILENCE), 0);
    search(&r, &other, 1);
    assert_int_equal(broken(&r, LAB_INVARIANT_SEARCH), 1);
    end(&r);
}

static void a_search_is_made_once_an_hour(void **state)
{
    struct rig r;
    struct hsay_addr to = strange();
    (void)state;
    begin_search(&r, "yes");
    search(&r, &to, 200);
    r.shard->now_ns += 3600 * LAB_NS_PER_S;
    search(&r, &to, 200);
    assert_int_equal(broken(&r, LAB_INVARIANT_SEARCH), 0);
    r.shard->now_ns += 3000 * LAB_NS_PER_S;
    search(&r, &to, 1);
    assert_int_equal(broken(&r, LAB_INVARIANT_SEARCH), 1);
    end(&r);
}

/* What is no packet of one is bound as ever: to another host, larger, in answer to a packet, or of
 * a host that has no sockets for it. */
static void what_is_no_search_is_not_free(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 4; how++) {
        struct rig r;
        struct hsay_addr to = strange(), from = address(8, STRANGE + 1, 6421);
        begin_search(&r, how == 3 ? "no" : "yes");
        if (how != 3)
            hsay_node_search(r.sim->host[HOST].node)->account.host = how == 0 ? from : to;
        for (unsigned i = 0; i < 4; i++) {
            if (how == 2)
                take_packet(&r, &from, 1000);
            add_letter(&r, &to, HSAY_LEDGER_SEARCH_BYTES_MAX + (how == 1));
            turn(&r, LAB_TURN_COMMITTED);
        }
        assert_int_equal(broken(&r, LAB_INVARIANT_SILENCE), 1);
        assert_int_equal(broken(&r, LAB_INVARIANT_SEARCH), 0);
        end(&r);
    }
}

/* A hundred timers a second are those of a search. */
static void a_search_is_no_storm(void **state)
{
    (void)state;
    for (unsigned on = 0; on < 2; on++) {
        struct rig r;
        begin_search(&r, on ? "yes" : "no");
        r.shard->now_ns += LAB_NS_PER_S;
        for (unsigned i = 0; i < 160; i++)
            turn(&r, LAB_TURN_COMMITTED);
        assert_int_equal(broken(&r, LAB_INVARIANT_STORM), !on);
        for (unsigned i = 0; i < 100; i++)
            turn(&r, LAB_TURN_COMMITTED);
        assert_int_equal(broken(&r, LAB_INVARIANT_STORM), 1);
        end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_search_has_so_many_packets),
        cmocka_unit_test(a_search_is_made_once_an_hour),
        cmocka_unit_test(what_is_no_search_is_not_free),
        cmocka_unit_test(a_search_is_no_storm),
    };
    return cmocka_run_group_tests_name("invariants of a search", tests, NULL, NULL);
}
