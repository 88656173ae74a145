#include <pawl/replay/replay_check.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

namespace pawl {

namespace {

constexpr std::size_t digits = 16;

void append_hexadecimal(std::string& to, std::uint64_t value) {
    std::array<char, digits> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value, 16).ptr;
    const auto used = static_cast<std::size_t>(end - text.data());
    to.append(digits - used, '0');
    to.append(text.data(), used);
}

[[nodiscard]] std::optional<state_mark> parse_line(std::string_view line) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || line.size() - space - 1 != digits)
        return std::nullopt;
    state_mark mark;
    const auto number = [&](std::string_view text, std::uint64_t& into, int base) {
        const auto read = std::from_chars(text.data(), text.data() + text.size(), into, base);
        return read.ec == std::errc{} && read.ptr == text.data() + text.size();
    };
    if (!number(line.substr(0, space), mark.sequence, 10) ||
        !number(line.substr(space + 1), mark.digest, 16))
        return std::nullopt;
    return mark;
}

}  // namespace

std::string replay_comparison::message() const {
    if (!parted)
        return "the same state at " + std::to_string(marks) + " marks";
    const sequence_number from = last_same ? last_same->sequence : 0;
    const sequence_number to = parted->recorded.sequence;
    std::string text = to - from <= 1 ? "the states part at event " + std::to_string(to - 1)
                                      : "the states part between the events " +
                                            std::to_string(from) + " and " + std::to_string(to - 1);
    text += ": digest ";
    append_hexadecimal(text, parted->digest);
    text += ", recorded ";
    append_hexadecimal(text, parted->recorded.digest);
    return text;
}

result<replay_comparison> detail::find_parting(const state_recorder& reference,
                                               const recorded_check& check, replay_recording how) {
    constexpr std::uint64_t parts = 64;
    replay_comparison found;
    while (true) {
        const auto recorded = reference(how);
        if (!recorded)
            return std::unexpected(recorded.error());
        auto now = check(*recorded);
        if (!now)
            return now;
        if (found.parted && !now->parted)
            return fail(errc::diverged, "recorded a second time, the states are others");
        found.marks += now->marks;
        found.parted = now->parted;
        // Between marks that begin where the last ones were the same, there may be none that is.
        if (now->last_same)
            found.last_same = now->last_same;
        if (!found.parted)
            return found;
        const sequence_number from = found.last_same ? found.last_same->sequence : 0;
        const sequence_number to = found.parted->recorded.sequence;
        if (to - from <= 1)
            return found;
        how.every = std::max<std::uint64_t>(1, (to - from) / parts);
        how.from = from;
        how.to = to;
    }
}

std::string to_text(std::span<const state_mark> marks) {
    std::string text;
    for (const state_mark& mark : marks) {
        text += std::to_string(mark.sequence);
        text += ' ';
        append_hexadecimal(text, mark.digest);
        text += '\n';
    }
    return text;
}

result<std::vector<state_mark>> parse_state_marks(std::string_view text) {
    return detail::guarded([&]() -> result<std::vector<state_mark>> {
        std::vector<state_mark> marks;
        for (std::uint64_t line = 1; !text.empty(); ++line) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            const auto mark = parse_line(text.substr(0, end));
            if (!mark)
                return std::unexpected(
                    error{.code = errc::malformed,
                          .detail = "line " + std::to_string(line) + " is no mark of a state"});
            marks.push_back(*mark);
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        return marks;
    });
}

}  // namespace pawl
