#include "recovery/recovery.hpp"
#include "store/directory.hpp"

#include <pawl/journal/journal.hpp>
#include <pawl/journal/writer.hpp>

#include <new>
#include <utility>

namespace pawl {

namespace {

[[nodiscard]] result<recovery_report> rehearse(const std::filesystem::path& directory,
                                               const recover_options& options) {
    auto held = detail::directory_handle::hold(directory);
    if (!held && held.error().code == errc::not_found)
        return std::unexpected(detail::no_journal_in(directory));
    if (!held)
        return std::unexpected(std::move(held.error()));
    auto journal = detail::read_identity(*held);
    if (!journal)
        return std::unexpected(std::move(journal.error()));
    auto recovered = detail::recover_log(
        {.directory = *held, .journal = *journal, .verify = options.verify, .dry_run = true});
    if (!recovered)
        return std::unexpected(std::move(recovered.error()));
    return std::move(recovered->report);
}

}  // namespace

result<recovery_report> recover(const std::filesystem::path& directory, recover_options options) {
    try {
        if (options.dry_run)
            return rehearse(directory, options);
        writer_options opening;
        opening.create = false;
        opening.verify = options.verify;
        opening.full = when_full::fail;
        opening.background_threads = false;
        opening.allow_network_file_system = options.allow_network_file_system;
        auto opened = writer::open(directory, opening);
        if (!opened)
            return std::unexpected(std::move(opened.error()));
        recovery_report report = opened->recovery();
        if (auto closed = opened->close(); !closed) {
            return std::unexpected(std::move(closed.error()));
        }
        return report;
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}

}  // namespace pawl
