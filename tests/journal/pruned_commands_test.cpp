// A prune takes along the ids of the commands that it removes, so that none takes effect again.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "store/retained.hpp"

#include <pawl/journal/journal.hpp>
#include <pawl/journal/metadata.hpp>
#include <pawl/journal/prune.hpp>

#include <array>
#include <cstring>
#include <optional>
#include <string>

using namespace pawl;
using namespace pawl::test;

namespace {

class commanded_journal {
  public:
    explicit commanded_journal(std::uint32_t window = 100) { options_.command_window = window; }

    [[nodiscard]] std::filesystem::path path() const { return home_.path() / "j"; }
    writer& open() {
        log_.emplace(must(writer::open(path(), options_)));
        id_ = log_->id();
        return *log_;
    }
    void close() {
        must(log_->close());
        log_.reset();
    }
    static command_reference reference(std::uint64_t number, std::string_view bytes) {
        message_id id{};
        std::memcpy(id.data(), &number, sizeof number);
        return reference_to(id, bytes_of(bytes));
    }
    result<receipt> send(std::uint64_t number, std::string_view bytes = "as it was") {
        const auto command = reference(number, bytes);
        const std::array entries{entry_of(command)};
        const std::string large(9000, 'x');
        auto placed = log_->append({.type = 1, .metadata = entries}, bytes_of(large));
        must(log_->poll());
        return placed;
    }
    // Commands 0 to `count`, of which a prune then keeps the last few.
    void send_and_prune(std::uint64_t count, const prune_options& how = {.keep_bytes = 0}) {
        open();
        for (std::uint64_t number = 0; number < count; ++number)
            CHECK(must(send(number)).sequence == number);
        close();
        first_kept_ = must(prune(path(), how)).first_sequence;
        REQUIRE(first_kept_ > 10);
        REQUIRE(first_kept_ < count);
    }
    [[nodiscard]] sequence_number first_kept() const { return first_kept_; }
    [[nodiscard]] std::size_t retained() const {
        return must(detail::read_retained(path(), id_)).value().commands.size();
    }

  private:
    temporary_directory home_;
    writer_options options_ = by_hand();
    std::optional<writer> log_;
    journal_id id_{};
    sequence_number first_kept_ = 0;
};

}  // namespace

TEST_CASE("a command that was pruned is repeated") {
    commanded_journal journal;
    journal.send_and_prune(30);
    writer& log = journal.open();
    for (std::uint64_t number = 0; number < 30; ++number) {
        const auto again = journal.send(number);
        REQUIRE_FALSE(again);
        CHECK(again.error().code == errc::repeated);
        CHECK(again.error().sequence == number);
        CHECK(journal.send(number, "other bytes").error().code == errc::command_id_reused);
    }
    const message_id first = commanded_journal::reference(0, {}).id;
    const auto known = log.find_command(first);
    REQUIRE(known);
    CHECK(known->events == 1);
    CHECK(known->position == log_position{});
    const auto events = log.read_command(first, [](const event&) {});
    REQUIRE_FALSE(events);
    CHECK(events.error().code == errc::pruned);
    CHECK(events.error().sequence == journal.first_kept());
    CHECK(must(journal.send(30)).sequence == 30);
    CHECK(must(verify(journal.path(), {.deep = true})).sound());
}

TEST_CASE("commands outlive several prunes") {
    commanded_journal journal;
    journal.send_and_prune(30);
    journal.open();
    for (std::uint64_t number = 30; number < 60; ++number)
        CHECK(must(journal.send(number)).sequence == number);
    journal.close();
    // A smaller window forgets none that were kept.
    REQUIRE(must(prune(journal.path(), {.keep_bytes = 0, .command_window = 1})).segments != 0);
    CHECK(journal.retained() == journal.first_kept());
    journal.open();
    const std::uint64_t pruned = journal.first_kept();
    CHECK(journal.send(59).error().code == errc::repeated);
    CHECK(journal.send(pruned + 10).error().code == errc::repeated);
    // The second prune kept as many as the first had, the newest.
    CHECK(must(journal.send(0)).sequence == 60);
}

TEST_CASE("a prune keeps as many commands as it is asked for") {
    commanded_journal journal;
    journal.send_and_prune(30, {.keep_bytes = 0, .command_window = 5});
    CHECK(journal.retained() == 5);
    journal.open();
    const std::uint64_t pruned = journal.first_kept();
    CHECK(journal.send(pruned - 5).error().code == errc::repeated);
    CHECK(must(journal.send(pruned - 6)).sequence == 30);
}

TEST_CASE("a writer remembers no more pruned commands than its window holds") {
    commanded_journal journal{20};
    journal.send_and_prune(30);
    journal.open();
    CHECK(journal.send(10).error().code == errc::repeated);
    CHECK(must(journal.send(9)).sequence == 30);
}

TEST_CASE("a live writer that prunes keeps the commands of its window") {
    commanded_journal journal;
    writer& log = journal.open();
    for (std::uint64_t number = 0; number < 30; ++number)
        (void)must(journal.send(number));
    REQUIRE(must(log.prune({.keep_bytes = 0, .command_window = 0})).segments != 0);
    CHECK(journal.send(0).error().code == errc::repeated);
    CHECK(log.read_command(commanded_journal::reference(0, {}).id, [](const event&) {})
              .error()
              .code == errc::pruned);
    journal.close();
    journal.open();
    CHECK(journal.send(0).error().code == errc::repeated);
}
