#include "recovery/recovery.hpp"
#include "store/directory.hpp"
#include "store/lock_holder.hpp"
#include "store/writer_lock.hpp"
#include "writer/writer_open.hpp"

#include <pawl/journal/journal.hpp>

#include <filesystem>
#include <new>
#include <optional>
#include <utility>

namespace pawl {

namespace {

// The identity of the journal, if this program may recover it.
[[nodiscard]] result<detail::identity> identify(const detail::directory_handle& directory,
                                                const recover_options& options) {
    if (!options.allow_network_file_system) {
        if (auto local = detail::refuse_network_file_system(directory.path()); !local)
            return std::unexpected(std::move(local.error()));
    }
    return detail::read_identity(directory);
}

[[nodiscard]] result<detail::recovered_log> rehearse_in(const detail::directory_handle& directory,
                                                        const recover_options& options,
                                                        bool lock_held) {
    auto journal = identify(directory, options);
    if (!journal)
        return std::unexpected(std::move(journal.error()));
    auto seen = detail::recover_log({.directory = directory,
                                     .journal = *journal,
                                     .verify = options.verify,
                                     .dry_run = true,
                                     .lock_held = lock_held});
    if (!seen)
        return std::unexpected(detail::name_holder(std::move(seen.error()), directory));
    return seen;
}

[[nodiscard]] result<detail::recovered_log> rehearse(const std::filesystem::path& directory,
                                                     const recover_options& options) {
    auto held = detail::hold_journal(directory);
    if (!held)
        return std::unexpected(std::move(held.error()));
    return rehearse_in(*held, options, false);
}

// What a recovery would find, determined under the lock. nullopt if that fails: then the recovery
// itself must find out, or report the error.
[[nodiscard]] std::optional<detail::recovered_log> rehearse_locked(
    const std::filesystem::path& directory, const recover_options& options) {
    auto held = detail::directory_handle::hold(directory);
    // A lock file is created if there is none, so it must be a journal's directory, and the file
    // must belong to the journal's owner.
    if (!held || !identify(*held, options))
        return std::nullopt;
    held = held->giving_as(detail::identity_name);
    if (!held)
        return std::nullopt;
    auto lock = detail::writer_lock::acquire(*held, writer_options{}.mode);
    if (!lock || !(*lock)->hold_identity())
        return std::nullopt;
    auto seen = rehearse_in(*held, options, true);
    if (!seen)
        return std::nullopt;
    seen->report.dry_run = false;
    return std::move(*seen);
}

[[nodiscard]] result<recovery_report> recover_for_good(const std::filesystem::path& directory,
                                                       const recover_options& options) {
    auto seen = rehearse_locked(directory, options);
    if (seen && options.plan) {
        recovery_report plan = seen->report;
        plan.dry_run = true;
        options.plan(plan);
    }
    // If there is nothing to do, a full disk does not matter.
    if (seen && seen->at_rest)
        return std::move(seen->report);
    writer_options opening;
    opening.create = false;
    opening.verify = options.verify;
    opening.full = when_full::fail;
    opening.background_threads = false;
    opening.populate_bytes = 0;
    opening.allow_network_file_system = options.allow_network_file_system;
    auto opened = detail::open_writer(directory, opening, detail::open_purpose::recover);
    if (!opened) {
        // Every event is there, and the next writer can create the derived files.
        if (opened.error().code != errc::disk_full || !seen || seen->report.state != found::closed)
            return std::unexpected(std::move(opened.error()));
        seen->report.notices.push_back(
            "no room to create indexes again, which the next writer will do: " +
            opened.error().message());
        return std::move(seen->report);
    }
    recovery_report report = (*opened)->report();
    if (auto closed = (*opened)->close(); !closed)
        return std::unexpected(std::move(closed.error()));
    return report;
}

}  // namespace

result<recovery_report> recover(const std::filesystem::path& directory,
                                const recover_options& options) {
    try {
        if (!options.dry_run)
            return recover_for_good(directory, options);
        auto seen = rehearse(directory, options);
        if (!seen)
            return std::unexpected(std::move(seen.error()));
        if (options.plan)
            options.plan(seen->report);
        return std::move(seen->report);
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}

}  // namespace pawl
