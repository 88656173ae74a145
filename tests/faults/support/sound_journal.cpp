#include "sound_journal.hpp"

#include <fmt/core.h>

#include <pawl/journal/cursor.hpp>

namespace pawl::test {

namespace {

[[nodiscard]] std::string fault_of(const result<verify_report>& report) {
    if (!report)
        return "verify: " + report.error().message();
    for (const finding& found : report->findings)
        return "verify reports: " + found.what.message();
    return {};
}

}  // namespace

std::string fault_of_files(const std::filesystem::path& directory, const verify_options& options) {
    return fault_of(verify(directory, options));
}

std::string fault_of_journal(const std::filesystem::path& directory, generated_log_check& check,
                             const verify_options& options) {
    const auto report = verify(directory, options);
    if (auto wrong = fault_of(report); !wrong.empty())
        return wrong;
    auto events = cursor::open(directory);
    if (!events)
        return "cursor: " + events.error().message();
    while (const event* e = events->next()) {
        if (auto wrong = check.check(*e); !wrong.empty())
            return wrong;
    }
    if (auto end = events->finish(); !end)
        return "cursor: " + end.error().message();
    if (auto wrong = check.check_end(); !wrong.empty())
        return wrong;
    if (report->events != check.next_sequence() || report->next_sequence != check.next_sequence())
        return fmt::format("verify counts {} events, but the cursor {}", report->events,
                           check.next_sequence());
    return {};
}

}  // namespace pawl::test
