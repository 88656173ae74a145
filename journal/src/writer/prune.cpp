#include "recovery/log_survey.hpp"
#include "store/control.hpp"
#include "store/directory.hpp"
#include "upkeep/pruner.hpp"
#include "writer/journal_at_rest.hpp"

#include <pawl/journal/detail/guarded.hpp>
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
    auto held = hold_at_rest(path, options.allow_network_file_system);
    if (!held)
        return std::unexpected(std::move(held.error()));
    // New files get the attributes of journal.pawl.
    auto directory = held->directory.giving_as(identity_name);
    if (!directory)
        return std::unexpected(std::move(directory.error()));
    const auto lock = lock_at_rest(*directory);
    if (!lock)
        return std::unexpected(lock.error());
    if (auto sound = check_log(*directory, id_of(held->journal)); !sound)
        return std::unexpected(std::move(sound.error()));
    return pruner{*directory, id_of(held->journal), options}.run();
}

}  // namespace

}  // namespace detail

result<prune_report> prune(const std::filesystem::path& directory, const prune_options& options) {
    return detail::guarded([&] { return detail::prune_at_rest(directory, options); });
}

}  // namespace pawl
