#include "sound_journal.hpp"

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>

namespace pawl::test {

std::string fault_of_journal(const std::filesystem::path& directory, generated_log_check& check) {
    auto report = verify(directory);
    if (!report)
        return "verify: " + report.error().message();
    for (const finding& found : report->findings)
        return "verify finds: " + found.what.message();
    auto events = cursor::open(directory);
    if (!events)
        return "cursor: " + events.error().message();
    while (const event* e = events->next()) {
        if (auto wrong = check.check(*e); !wrong.empty())
            return wrong;
    }
    if (auto end = events->finish(); !end)
        return "cursor: " + end.error().message();
    return check.check_end();
}

}  // namespace pawl::test
