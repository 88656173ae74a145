// Loaded into a program (LD_PRELOAD), it has the disk full: no file gets room.
#include <fcntl.h>

#include <cerrno>

extern "C" {

int posix_fallocate(int /*file*/, off_t /*offset*/, off_t /*bytes*/) {
    return ENOSPC;
}

int posix_fallocate64(int /*file*/, off64_t /*offset*/, off64_t /*bytes*/) {
    return ENOSPC;
}
}
