#include "recovery/log_survey.hpp"
#include "store/control.hpp"
#include "store/directory.hpp"
#include "store/lock_holder.hpp"
#include "store/writer_lock.hpp"
#include "upkeep/pruner.hpp"

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/options.hpp>
#include <pawl/journal/prune.hpp>

#include <utility>

namespace pawl {

namespace detail {

namespace {

// Whether recovery would refuse the log. Damage beside what goes would otherwise be met only
// afterwards, when the events before it can no longer help.
[[nodiscard]] result<void> check_log(const directory_handle& directory, const journal_id& id) {
    survey_request request{.directory = directory, .id = id};
    if (const auto control = control_view::open(directory, id))
        request.stored_watermark = control->stored_watermark();
    if (auto surveyed = survey_log(request); !surveyed)
        return std::unexpected(std::move(surveyed.error()));
    return {};
}

[[nodiscard]] result<prune_report> prune_at_rest(const std::filesystem::path& path,
                                                 const prune_options& options) {
    if (auto fine = check_prune_options(options); !fine)
        return std::unexpected(std::move(fine.error()));
    auto held = hold_journal(path);
    if (!held)
        return std::unexpected(std::move(held.error()));
    auto journal = read_identity(*held);
    if (!journal)
        return std::unexpected(std::move(journal.error()));
    if (!options.allow_network_file_system) {
        if (auto local = refuse_network_file_system(held->path()); !local)
            return std::unexpected(std::move(local.error()));
    }
    if (journal->read_compatible != 0) {
        return std::unexpected(error{.code = errc::newer_format,
                                     .file = held->path_of(identity_name).string(),
                                     .detail = "a newer program's features allow reading only"});
    }
    // New files get the attributes of journal.pawl.
    auto directory = held->giving_as(identity_name);
    if (!directory)
        return std::unexpected(std::move(directory.error()));
    auto lock = writer_lock::acquire(*directory, writer_options{}.mode);
    if (!lock)
        return std::unexpected(name_holder(std::move(lock.error()), *directory));
    if (auto identity_held = (*lock)->hold_identity(); !identity_held)
        return std::unexpected(name_holder(std::move(identity_held.error()), *directory));
    if (auto sound = check_log(*directory, id_of(*journal)); !sound)
        return std::unexpected(std::move(sound.error()));
    return pruner{*directory, id_of(*journal), options}.run();
}

}  // namespace

}  // namespace detail

result<prune_report> prune(const std::filesystem::path& directory, const prune_options& options) {
    return detail::guarded([&] { return detail::prune_at_rest(directory, options); });
}

}  // namespace pawl
