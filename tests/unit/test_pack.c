/* Goal: a list of bundles comes out as it went in, has one form, and costs an author's key once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "hearsay/error.h"
#include "hearsay/params.h"
#include "src/wire/pack.h"
#include "tests/vectors/vectors.h"

/* Takes a list apart, checks each bundle against `bundles` (u16 size and bundle each), and puts it
 * together again. */
static void check_list(const struct vector *list, const struct vector *bundles)
{
    struct hsay_packer unpacker = {0}, packer = {0};
    struct hsay_reader r = hsay_reader(vector_span(list));
    struct hsay_reader expected = hsay_reader(vector_span(bundles));
    uint8_t again[VECTOR_MAX_BYTES], out[HSAY_BUNDLE_MAX_BYTES];
    struct hsay_writer w = hsay_writer(again, sizeof again);
    struct hsay_span bundle;
    int rc;

    while ((rc = hsay_pack_next(&unpacker, &r, out, &bundle)) == 0) {
        struct hsay_span good = hsay_read_span(&expected, hsay_read_u16(&expected));
        assert_int_equal(bundle.size, good.size);
        assert_memory_equal(bundle.data, good.data, good.size);
        assert_true(hsay_pack_add(&packer, &w, bundle));
    }
    assert_int_equal(rc, HSAY_ENOENT);
    assert_true(hsay_read_done(&r) && hsay_read_done(&expected));
    assert_int_equal(hsay_write_size(&w), list->size);
    assert_memory_equal(again, list->byte, list->size);
}

static void lists_agree_with_the_vectors(void **state)
{
    struct vector list;
    size_t seen = 0, checked = 0;
    char name[80];

    (void)state;
    while (vector_next("pack.hex", "good.", &seen, &list)) {
        if (strstr(list.name, ".bundles") != NULL)
            continue;
        snprintf(name, sizeof name, "%s.bundles", list.name);
        struct vector bundles = vector_get("pack.hex", name);
        check_list(&list, &bundles);
        checked++;
    }
    assert_int_equal(checked, 6);
}

static void bad_lists_are_refused(void **state)
{
    struct vector list;
    size_t seen = 0;

    (void)state;
    while (vector_next("pack.hex", "bad.", &seen, &list)) {
        struct hsay_packer packer = {0};
        struct hsay_reader r = hsay_reader(vector_span(&list));
        uint8_t out[HSAY_BUNDLE_MAX_BYTES];
        struct hsay_span bundle;
        int rc;
        while ((rc = hsay_pack_next(&packer, &r, out, &bundle)) == 0)
            continue;
        assert_int_equal(rc, HSAY_EBAD);
        assert_true(r.bad);
        assert_int_equal(hsay_pack_next(&packer, &r, out, &bundle), HSAY_EBAD);
    }
    assert_int_equal(seen, 10);
}

/* Every shorter form of a list is refused, or is the list of its first bundles. */
static void a_cut_list_yields_whole_bundles(void **state)
{
    struct vector list = vector_get("pack.hex", "good.two_authors");

    (void)state;
    for (size_t size = 0; size < list.size; size++) {
        struct hsay_packer packer = {0};
        struct hsay_reader r = hsay_reader((struct hsay_span){list.byte, size});
        uint8_t out[HSAY_BUNDLE_MAX_BYTES];
        struct hsay_span bundle;
        unsigned count = 0;
        int rc;
        while ((rc = hsay_pack_next(&packer, &r, out, &bundle)) == 0)
            count++;
        assert_true(count <= 1);
        assert_int_equal(rc == HSAY_ENOENT, r.at == r.end && !r.bad);
    }
}

static struct hsay_span fake(uint8_t *out, uint8_t author, size_t size)
{
    memset(out, 0x5a, size);
    memset(out + HSAY_BUNDLE_AUTHOR_AT, author, HSAY_KEY_BYTES);
    return (struct hsay_span){out, size};
}

static void what_does_not_fit_leaves_no_trace(void **state)
{
    uint8_t out[400], room[300], bundle[100];

    (void)state;
    for (size_t size = 0; size < sizeof room; size++) {
        struct hsay_packer packer = {0}, before;
        struct hsay_writer w = hsay_writer(room, size);
        size_t used = 0;
        do {
            before = packer;
            used = hsay_write_size(&w);
        } while (hsay_pack_add(&packer, &w, fake(bundle, (uint8_t)(used / 150), 100)));
        assert_false(w.bad);
        assert_int_equal(hsay_write_size(&w), used);
        assert_memory_equal(&before, &packer, sizeof packer);
    }
    struct hsay_packer packer = {0};
    struct hsay_writer w = hsay_writer(room, 2 + 1 + 100);
    assert_true(hsay_pack_add(&packer, &w, fake(bundle, 1, 100)));
    assert_int_equal(hsay_write_left(&w), 0);
    w = hsay_writer(out, sizeof out);
    w.bad = true;
    assert_false(hsay_pack_add(&packer, &w, fake(bundle, 1, 100)));
}

/* 2 + 1 + 100 bytes for the first, and 32 less for each further one of the same author. */
static void an_author_costs_its_key_once(void **state)
{
    uint8_t room[1200], bundle[100];
    struct hsay_packer packer = {0};
    struct hsay_writer w = hsay_writer(room, sizeof room);

    (void)state;
    for (size_t i = 0; i < 10; i++)
        assert_true(hsay_pack_add(&packer, &w, fake(bundle, 1, 100)));
    assert_int_equal(hsay_write_size(&w), 103 + 9 * (2 + 1 + 68));
    assert_int_equal(packer.author_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_agree_with_the_vectors),
        cmocka_unit_test(bad_lists_are_refused),
        cmocka_unit_test(a_cut_list_yields_whole_bundles),
        cmocka_unit_test(what_does_not_fit_leaves_no_trace),
        cmocka_unit_test(an_author_costs_its_key_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
