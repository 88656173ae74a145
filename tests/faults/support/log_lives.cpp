#include "log_lives.hpp"

#include <fmt/core.h>

#include <pawl/journal/cursor.hpp>

namespace pawl::test {

namespace {

// Large enough that a few hundred units roll over several small segments.
constexpr generated_log::sizes log_sizes{.usual = 500, .largest = 16'000};

}  // namespace

void log_lives::begin(sequence_number first, std::uint64_t seed) {
    // A life that appended nothing has left nothing.
    while (!lives_.empty() && lives_.back().first >= first)
        lives_.pop_back();
    lives_.push_back({.first = first, .seed = seed});
}

generated_log log_lives::source() const {
    return generated_log{lives_.back().seed, log_sizes};
}

std::string log_lives::check(const std::filesystem::path& directory, sequence_number end) const {
    auto events = cursor::open(directory);
    if (!events)
        return "cannot be read: " + events.error().message();
    std::size_t next_life = 1;
    generated_log_check check{generated_log{lives_.front().seed, log_sizes}};
    while (const event* e = events->next()) {
        if (next_life < lives_.size() && check.next_sequence() == lives_[next_life].first) {
            if (auto wrong = check.check_end(); !wrong.empty())
                return wrong;
            check.continue_with(generated_log{lives_[next_life].seed, log_sizes});
            ++next_life;
        }
        if (auto wrong = check.check(*e); !wrong.empty())
            return wrong;
    }
    if (auto finished = events->finish(); !finished)
        return "cannot be read: " + finished.error().message();
    if (auto wrong = check.check_end(); !wrong.empty())
        return wrong;
    if (check.next_sequence() != end)
        return fmt::format("reading ends at {} of {}", check.next_sequence(), end);
    return {};
}

}  // namespace pawl::test
