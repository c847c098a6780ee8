/* Any bytes as a configuration file: settings or one sentence, and nothing out of bounds. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

/* The daemon is no library, so its pure parts are taken in as they are. */
#include "src/daemon/conf.c"
#include "src/daemon/conf_read.c"
#include "src/daemon/ini.c"
#include "src/daemon/value.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct conf conf, other;
    struct conf_changes changes;
    struct conf_error error;
    struct hsay_overlay_config walk = {0};
    int rc;

    memset(&error, 0, sizeof error);
    conf_default(&conf);
    rc = conf_read(&conf, "fuzz.conf", (const char *)data, size, &error);
    if (rc) {
        assert(rc == HSAY_EINVAL && error.text[0] && memchr(error.text, 0, sizeof error.text));
        return 0;
    }
    assert(conf.listen_count >= 1 && conf.listen_count <= CONF_LISTEN_MAX);
    assert(conf.peer_count <= CONF_PEERS_MAX && conf.overlay_count <= CONF_OVERLAYS_MAX);
    assert(conf.log_level >= 0 && conf.log_level <= 5 && conf.log_format <= 2);
    for (size_t i = 0; i < conf.overlay_count; i++) {
        assert(join_name_ok(conf.overlay[i].name));
        conf_overlay_walk(&conf, conf.overlay[i].name, &walk);
        assert(walk.policy <= 2 && (walk.step_ms == 0 || walk.step_ms >= 50));
    }

    /* What was read once reads the same again, and a reload to itself changes nothing. */
    conf_default(&other);
    assert(!conf_read(&other, "fuzz.conf", (const char *)data, size, &error));
    conf_reload(&conf, &other, &changes);
    assert(changes.changed_count == 0 && changes.restart_count == 0);
    return 0;
}
