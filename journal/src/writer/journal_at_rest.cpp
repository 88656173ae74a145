#include "writer/journal_at_rest.hpp"

#include "store/lock_holder.hpp"

#include <pawl/journal/options.hpp>

#include <utility>

namespace pawl::detail {

result<void> check_may_change(const directory_handle& directory, const identity& journal) {
    if (journal.read_compatible == 0)
        return {};
    return std::unexpected(error{.code = errc::newer_format,
                                 .file = directory.path_of(identity_name).string(),
                                 .detail = "a newer program's features allow reading only"});
}

result<journal_at_rest> hold_at_rest(const std::filesystem::path& path,
                                     bool allow_network_file_system) {
    auto held = hold_journal(path);
    if (!held)
        return std::unexpected(std::move(held.error()));
    auto journal = read_identity(*held);
    if (!journal)
        return std::unexpected(std::move(journal.error()));
    if (!allow_network_file_system) {
        if (auto local = refuse_network_file_system(held->path()); !local)
            return std::unexpected(std::move(local.error()));
    }
    if (auto may = check_may_change(*held, *journal); !may)
        return std::unexpected(std::move(may.error()));
    return journal_at_rest{std::move(*held), *journal};
}

result<std::unique_ptr<writer_lock>> lock_at_rest(const directory_handle& directory) {
    auto lock = writer_lock::acquire(directory, writer_options{}.mode);
    if (!lock)
        return std::unexpected(name_holder(std::move(lock.error()), directory));
    if (auto identity_held = (*lock)->hold_identity(); !identity_held)
        return std::unexpected(name_holder(std::move(identity_held.error()), directory));
    return lock;
}

}  // namespace pawl::detail
