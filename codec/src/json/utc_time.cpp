#include <pawl/codec/utc_time.hpp>
#include <pawl/journal/cursor.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <limits>

namespace pawl {

namespace {

constexpr std::uint64_t second = 1'000'000'000;

// Takes a text apart from its front.
class time_scanner {
  public:
    explicit time_scanner(std::string_view text) noexcept : left_{text} {}

    [[nodiscard]] bool at_end() const noexcept { return left_.empty(); }
    bool take(char wanted) noexcept {
        if (!left_.starts_with(wanted))
            return false;
        left_.remove_prefix(1);
        return true;
    }
    // Exactly so many digits, up to `greatest`.
    std::optional<unsigned> digits(std::size_t count, unsigned greatest) noexcept {
        unsigned value = 0;
        if (left_.size() < count)
            return std::nullopt;
        const char* end = left_.data() + count;
        const auto [stop, problem] = std::from_chars(left_.data(), end, value);
        if (problem != std::errc{} || stop != end || value > greatest)
            return std::nullopt;
        left_.remove_prefix(count);
        return value;
    }
    // One to nine decimals, as nanoseconds.
    std::optional<std::uint64_t> fraction() noexcept {
        std::uint64_t value = 0;
        std::uint64_t unit = second;
        while (!left_.empty() && left_.front() >= '0' && left_.front() <= '9' && unit > 1) {
            unit /= 10;
            value += unit * static_cast<std::uint64_t>(left_.front() - '0');
            left_.remove_prefix(1);
        }
        return unit == second ? std::nullopt : std::optional{value};
    }

  private:
    std::string_view left_;
};

// Hours, and whatever follows them. A Z may end it.
std::optional<std::uint64_t> time_of_day(time_scanner& in, bool needs_minutes) noexcept {
    const auto hours = in.digits(2, 23);
    if (!hours)
        return std::nullopt;
    std::uint64_t time = std::uint64_t{*hours} * 3600 * second;
    if (!in.take(':')) {
        if (needs_minutes)
            return std::nullopt;
    } else {
        const auto minutes = in.digits(2, 59);
        if (!minutes)
            return std::nullopt;
        time += std::uint64_t{*minutes} * 60 * second;
        if (in.take(':')) {
            const auto seconds = in.digits(2, 59);
            if (!seconds)
                return std::nullopt;
            time += *seconds * second;
            if (in.take('.')) {
                const auto fraction = in.fraction();
                if (!fraction)
                    return std::nullopt;
                time += *fraction;
            }
        }
    }
    (void)in.take('Z');
    return in.at_end() ? std::optional{time} : std::nullopt;
}

// Writes `value` with leading zeros.
template <std::size_t Digits>
char* write_digits(char* to, std::uint64_t value) noexcept {
    for (std::size_t i = Digits; i-- != 0; value /= 10)
        to[i] = static_cast<char>('0' + value % 10);
    return to + Digits;
}

}  // namespace

void append_utc(std::string& to, std::uint64_t nanoseconds) {
    const std::uint64_t day = nanoseconds / nanoseconds_in_day;
    const std::chrono::year_month_day date{
        std::chrono::sys_days{std::chrono::days{static_cast<int>(day)}}};
    const std::uint64_t seconds = nanoseconds % nanoseconds_in_day / second;
    std::array<char, 30> text{};
    char* at = text.data();
    const auto field = [&at]<std::size_t Digits>(std::uint64_t value, char after) {
        at = write_digits<Digits>(at, value);
        *at++ = after;
    };
    field.operator()<4>(static_cast<std::uint64_t>(static_cast<int>(date.year())), '-');
    field.operator()<2>(static_cast<unsigned>(date.month()), '-');
    field.operator()<2>(static_cast<unsigned>(date.day()), 'T');
    field.operator()<2>(seconds / 3600, ':');
    field.operator()<2>(seconds / 60 % 60, ':');
    field.operator()<2>(seconds % 60, '.');
    field.operator()<9>(nanoseconds % second, 'Z');
    to.append(text.data(), text.size());
}

std::optional<std::uint64_t> parse_utc(std::string_view text) noexcept {
    time_scanner in{text};
    const auto year = in.digits(4, 2554);
    if (!year || *year < 1970 || !in.take('-'))
        return std::nullopt;
    const auto month = in.digits(2, 12);
    if (!month || !in.take('-'))
        return std::nullopt;
    const auto day = in.digits(2, 31);
    if (!day)
        return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)},
                                           std::chrono::month{*month}, std::chrono::day{*day}};
    if (!date.ok())
        return std::nullopt;
    const auto days =
        static_cast<std::uint64_t>(std::chrono::sys_days{date}.time_since_epoch().count());
    std::uint64_t time = 0;
    if (!in.at_end()) {
        const auto of_day = in.take('T') ? time_of_day(in, false) : std::nullopt;
        if (!of_day)
            return std::nullopt;
        time = *of_day;
    }
    if (days > (std::numeric_limits<std::uint64_t>::max() - time) / nanoseconds_in_day)
        return std::nullopt;
    return days * nanoseconds_in_day + time;
}

std::optional<std::uint64_t> parse_time_of_day(std::string_view text) noexcept {
    time_scanner in{text};
    return time_of_day(in, true);
}

result<std::optional<std::uint64_t>> last_day(const std::filesystem::path& directory,
                                              bool allow_network_file_system) {
    cursor_options how{.from = from_end{}, .allow_network_file_system = allow_network_file_system};
    const auto end = cursor::open(directory, how);
    if (!end)
        return std::unexpected(end.error());
    if (end->next_sequence() == 0)
        return std::nullopt;
    how.from = from_sequence{end->next_sequence() - 1};
    auto events = cursor::open(directory, how);
    if (!events) {
        if (events.error().code == errc::pruned)
            return std::nullopt;
        return std::unexpected(std::move(events.error()));
    }
    const event* last = events->next();
    if (last == nullptr)
        return std::nullopt;
    return last->timestamp_ns() - last->timestamp_ns() % nanoseconds_in_day;
}

result<std::uint64_t> find_time(const std::filesystem::path& directory, std::string_view text,
                                bool allow_network_file_system) {
    if (const auto whole = parse_utc(text))
        return *whole;
    const auto of_day = parse_time_of_day(text);
    if (!of_day)
        return fail(errc::invalid_argument, std::string{text} + " is no time");
    const auto day = last_day(directory, allow_network_file_system);
    if (!day)
        return std::unexpected(day.error());
    return day->value_or(0) + *of_day;
}

}  // namespace pawl
