/*
 * Somebody's folder is not ours to overwrite: only names that results have may be in it, and if
 * there are any, a manifest of this program.
 */
#include "src/lab/output/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hearsay/error.h"
#include "src/common/file.h"
#include "src/lab/output/manifest.h"

/* Where a file or folder lies among the results; kept in fts_number of folders. */
enum place { PLACE_FOREIGN, PLACE_TOP, PLACE_POINT, PLACE_DATA };

static bool ends_with(const char *name, const char *end)
{
    size_t size = strlen(name), tail = strlen(end);
    return size > tail && strcmp(name + size - tail, end) == 0;
}

static bool is_result_file(const char *name)
{
    static const char *const own[] = {"manifest.json", "result.json", "sweep.csv", "report.html"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        size_t size = strlen(own[i]);
        /* A ".tmp" is what a crash left. */
        if (strncmp(name, own[i], size) == 0 &&
            (name[size] == 0 || strcmp(name + size, ".tmp") == 0))
            return true;
    }
    return false;
}

static bool is_data_file(const char *name)
{
    return ends_with(name, ".csv") || ends_with(name, ".svg") || ends_with(name, ".csv.tmp") ||
           ends_with(name, ".svg.tmp");
}

static enum place folder_place(const char *name, enum place parent)
{
    if (parent != PLACE_TOP && parent != PLACE_POINT)
        return PLACE_FOREIGN;
    if (strcmp(name, "tables") == 0 || strcmp(name, "figures") == 0)
        return PLACE_DATA;
    return parent == PLACE_TOP && strchr(name, '=') != NULL ? PLACE_POINT : PLACE_FOREIGN;
}

static bool may_be_there(FTSENT *entry)
{
    if (entry->fts_level == FTS_ROOTLEVEL) {
        entry->fts_number = PLACE_TOP;
        return true;
    }
    enum place parent = (enum place)entry->fts_parent->fts_number;
    if (entry->fts_info == FTS_D) {
        entry->fts_number = folder_place(entry->fts_name, parent);
        return entry->fts_number != PLACE_FOREIGN;
    }
    if (entry->fts_info != FTS_F)
        return false;
    return parent == PLACE_DATA ? is_data_file(entry->fts_name) : is_result_file(entry->fts_name);
}

/* What is in the folder and is no part of a result, or NULL; and how much there is.  free() it. */
static char *find_foreign(const char *path, size_t *entries)
{
    char *const root[] = {(char *)path, NULL};
    FTS *tree = fts_open(root, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;
    char *foreign = NULL;
    *entries = 0;
    while (tree != NULL && foreign == NULL && (entry = fts_read(tree)) != NULL) {
        if (entry->fts_info == FTS_DP)
            continue;
        *entries += entry->fts_level > FTS_ROOTLEVEL;
        if (!may_be_there(entry))
            foreign = lab_heap_copy(entry->fts_path);
    }
    if (tree != NULL)
        fts_close(tree);
    return foreign;
}

static int check_contents(const char *path, struct lab_why *why)
{
    size_t entries;
    int rc = 0;
    char *foreign = find_foreign(path, &entries);
    json_t *manifest = lab_manifest_load(path);
    if (foreign != NULL)
        rc = lab_why_set(why, HSAY_EEXIST,
                         "%s: holds '%s', which is no result of hearsay-lab; choose another folder",
                         path, foreign);
    else if (entries > 0 && manifest == NULL)
        rc = lab_why_set(why, HSAY_EEXIST,
                         "%s: is not empty and has no manifest.json of hearsay-lab; choose another "
                         "folder",
                         path);
    free(foreign);
    json_decref(manifest);
    return rc;
}

/* A file is made and removed, because modes alone do not tell (nor do they bind root). */
static int check_writable(const char *path, struct lab_why *why)
{
    char *probe = lab_heap_format("%s/manifest.json.XXXXXX", path);
    int fd = mkostemp(probe, O_CLOEXEC);
    int rc = 0;
    if (fd < 0)
        rc = lab_why_set(why, HSAY_EIO, "%s: %s", path, strerror(errno));
    else if (close(fd) != 0 || unlink(probe) != 0)
        rc = lab_why_set(why, HSAY_EIO, "%s: %s", probe, strerror(errno));
    free(probe);
    return rc;
}

int lab_folder_check(const char *path, struct lab_why *why)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        if (errno != ENOENT || file_make_folder(path, 0755) != 0)
            return lab_why_set(why, HSAY_EIO, "%s: %s", path, strerror(errno));
    } else if (!S_ISDIR(info.st_mode)) {
        return lab_why_set(why, HSAY_EEXIST, "%s: is no folder", path);
    }
    int rc = check_contents(path, why);
    return rc != 0 ? rc : check_writable(path, why);
}

void lab_folder_clear(const char *path)
{
    char *const root[] = {(char *)path, NULL};
    FTS *tree = fts_open(root, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;
    while (tree != NULL && (entry = fts_read(tree)) != NULL) {
        if (entry->fts_info == FTS_DP && entry->fts_level > FTS_ROOTLEVEL)
            rmdir(entry->fts_accpath);
        else if (entry->fts_info != FTS_DP && may_be_there(entry) && entry->fts_info == FTS_F)
            unlink(entry->fts_accpath);
    }
    if (tree != NULL)
        fts_close(tree);
}
