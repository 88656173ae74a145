#include "store/consumers_lock.hpp"

#include "os/file.hpp"
#include "store/consumer_file.hpp"

#include <utility>

namespace pawl::detail {

result<held_flock> lock_consumers(const directory_handle& directory) {
    auto opened = directory.open(".", file::access::read);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    return held_flock::take(std::move(*opened));
}

result<held_flock> lock_consumers_for_prune(const directory_handle& journal) {
    auto consumers = find_consumers(journal);
    if (!consumers)
        return std::unexpected(std::move(consumers.error()));
    if (*consumers)
        return lock_consumers(**consumers);
    auto alone = lock_consumers(journal);
    if (!alone)
        return alone;
    // A process may have made the directory before this one got the lock.
    consumers = find_consumers(journal);
    if (!consumers)
        return std::unexpected(std::move(consumers.error()));
    return *consumers ? lock_consumers(**consumers) : std::move(alone);
}

}  // namespace pawl::detail
