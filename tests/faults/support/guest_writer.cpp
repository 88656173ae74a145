#include "guest_writer.hpp"

#include "failure_text.hpp"
#include "log_lives.hpp"
#include "recorded_history.hpp"

#include <fmt/core.h>
#include <termios.h>
#include <unistd.h>

#include <pawl/journal/writer.hpp>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>

namespace pawl::test {

namespace {

void say(const std::string& line) {
    const std::string whole = line + "\n";
    std::string_view left = whole;
    while (!left.empty()) {
        const ::ssize_t written = ::write(STDOUT_FILENO, left.data(), left.size());
        if (written <= 0)
            return;
        left.remove_prefix(static_cast<std::size_t>(written));
    }
}

// Appends until something fails; prints each acknowledgement once.
[[nodiscard]] std::string append_for_ever(writer& log, generated_log source,
                                          std::uint64_t sync_every) {
    sequence_number durable = log.durable();
    for (std::uint64_t units = 1;; ++units) {
        if (auto placed = source.append_unit(log); !placed)
            return "append: " + failure_text(log, placed.error());
        if (sync_every != 0 && units % sync_every == 0) {
            if (auto synced = log.sync(); !synced)
                return "sync: " + failure_text(log, synced.error());
        }
        if (const sequence_number now = log.durable(); now > durable) {
            durable = now;
            say(fmt::format("durable {}", durable));
        }
    }
}

[[nodiscard]] std::optional<sequence_number> number_behind(std::string_view line,
                                                           std::string_view word) {
    if (!line.starts_with(word))
        return std::nullopt;
    line.remove_prefix(word.size());
    sequence_number value = 0;
    const auto parsed = std::from_chars(line.data(), line.data() + line.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != line.data() + line.size())
        return std::nullopt;
    return value;
}

}  // namespace

int run_guest_writer(const std::filesystem::path& directory, std::uint64_t seed) {
    say("started");
    random_source random{seed};
    const sync_policy policy = some_policy(random);
    const bool by_hand = policy.interval_us == 0 && policy.bytes == 0;
    auto log = writer::open(directory, small_options(policy, true));
    if (!log) {
        say("failed open: " + log.error().message());
        return 1;
    }
    const sequence_number next = log->next_sequence();
    say(fmt::format("opened {}", next));
    say(fmt::format("durable {}", log->durable()));
    // The reader of the console must know where this life begins before its first event exists.
    ::tcdrain(STDOUT_FILENO);
    log_lives lives;
    lives.begin(next, seed);
    say("failed " + append_for_ever(*log, lives.source(), by_hand ? 1 + random.below(60) : 0));
    return 1;
}

guest_words words_on(const std::filesystem::path& console) {
    guest_words words;
    std::ifstream file{console, std::ios::binary};
    std::string line;
    while (std::getline(file, line) && !file.eof()) {
        if (line.ends_with('\r'))
            line.pop_back();
        words.started = words.started || line == "started";
        if (const auto next = number_behind(line, "opened "))
            words.opened = next;
        if (const auto durable = number_behind(line, "durable ")) {
            words.durable = std::max(words.durable, *durable);
            ++words.acknowledgements;
        }
        if (line.starts_with("failed ") || line.starts_with("! ") ||
            line.find("Kernel panic") != std::string::npos)
            words.failure = line;
    }
    return words;
}

}  // namespace pawl::test
