/* Stands in for libFuzzer where there is none: runs the target over every file in the paths given,
 * folders included, so that what a fuzzer once found is tried by every build. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path, size_t size)
{
    /* Exactly as large as the input, so that a sanitizer sees the first byte too many. */
    uint8_t *data = malloc(size > 0 ? size : 1);
    FILE *f = fopen(path, "rb");
    int rc = -1;

    if (data != NULL && f != NULL && fread(data, 1, size, f) == size)
        rc = LLVMFuzzerTestOneInput(data, size);
    if (rc != 0)
        perror(path);
    if (f != NULL)
        fclose(f);
    free(data);
    return rc;
}

static int run_path(const char *path, unsigned *count)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        perror(path);
        return -1;
    }
    if (!S_ISREG(st.st_mode))
        return 0;
    (*count)++;
    return run_file(path, (size_t)st.st_size);
}

static int run_folder(const char *folder, unsigned *count)
{
    DIR *dir = opendir(folder);
    char path[4096];
    int rc = 0;

    if (dir == NULL)
        return run_path(folder, count);
    for (struct dirent *entry; rc == 0 && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        rc = run_path(path, count);
    }
    closedir(dir);
    return rc;
}

int main(int argc, char **argv)
{
    unsigned count = 0;

    for (int i = 1; i < argc; i++) {
        if (run_folder(argv[i], &count) != 0)
            return EXIT_FAILURE;
    }
    printf("%u inputs\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
