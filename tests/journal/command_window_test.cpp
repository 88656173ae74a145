#include "append/command_window.hpp"

#include "journal_support.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <random>
#include <vector>

using namespace pawl;
using namespace pawl::test;
using detail::command_window;
using detail::remembered_command;

namespace {

[[nodiscard]] message_id id_of(std::uint64_t number) {
    message_id id{};
    std::memcpy(id.data(), &number, sizeof number);
    return id;
}

struct known_command {
    std::uint64_t number = 0;
    sequence_number first = 0;
    std::uint32_t events = 0;
};

// What the window must hold: plain, slow, and in the order of the log.
class model {
  public:
    explicit model(std::size_t most) : most_{most} {}
    void keep(const std::vector<known_command>& staged) {
        for (const auto& command : staged)
            kept_.push_back(command);
        while (kept_.size() > most_)
            kept_.pop_front();
    }
    [[nodiscard]] const known_command* find(std::uint64_t number) const {
        const auto at = std::ranges::find(kept_, number, &known_command::number);
        return at == kept_.end() ? nullptr : &*at;
    }
    [[nodiscard]] std::size_t size() const { return kept_.size(); }

  private:
    std::size_t most_;
    std::deque<known_command> kept_;
};

void require_same(const command_window& window, const model& expected, std::uint64_t numbers) {
    REQUIRE(window.remembered() == expected.size());
    for (std::uint64_t number = 0; number < numbers; ++number) {
        const remembered_command* found = window.find(id_of(number));
        const known_command* known = expected.find(number);
        REQUIRE((found != nullptr) == (known != nullptr));
        if (found == nullptr)
            continue;
        REQUIRE(found->first == known->first);
        REQUIRE(found->events == known->events);
        REQUIRE(found->hash == number * 3);
        REQUIRE(!window.is_staged(*found));
    }
}

}  // namespace

TEST_CASE("a window remembers the newest commands and none before them") {
    constexpr std::uint64_t numbers = 300;
    for (const std::uint32_t most : {1U, 7U, 100U}) {
        auto window = must(command_window::make(most, 0x5eed));
        model expected{most};
        std::mt19937_64 random{most};
        sequence_number sequence = 0;
        for (int step = 0; step < 4'000; ++step) {
            const std::size_t wanted = random() % 4 == 0 ? random() % 12 : 1;
            std::vector<known_command> staged;
            for (std::size_t i = 0; i < wanted; ++i) {
                const std::uint64_t number = random() % numbers;
                if (window.find(id_of(number)) != nullptr)
                    continue;
                window.stage({id_of(number), number * 3}, sequence, sequence * 8);
                staged.push_back({number, sequence, 1});
                for (; random() % 3 == 0; ++staged.back().events)
                    window.extend();
                sequence += staged.back().events;
                REQUIRE(window.is_staged(*window.find(id_of(number))));
                REQUIRE(window.newest_staged()->first == staged.back().first);
            }
            if (random() % 5 == 0) {
                window.drop();
            } else {
                window.keep();
                expected.keep(staged);
            }
            REQUIRE(window.newest_staged() == nullptr);
            if (step % 16 == 0)
                require_same(window, expected, numbers);
        }
        require_same(window, expected, numbers);
    }
}

TEST_CASE("a window that makes room for a large batch forgets nothing") {
    constexpr std::uint32_t most = 50;
    constexpr std::uint32_t batch = 20'000;
    auto window = must(command_window::make(most, 1));
    model expected{most};
    for (std::uint64_t number = 0; number < 70; ++number) {
        window.stage({id_of(number), number * 3}, number, 0);
        window.keep();
        expected.keep({{number, number, 1}});
    }
    must(window.make_room(batch));
    require_same(window, expected, 100);
    for (std::uint64_t number = 100; number < 100 + batch; ++number)
        window.stage({id_of(number), number * 3}, number, 0);
    CHECK(window.find(id_of(69)) != nullptr);
    CHECK(window.find(id_of(100)) != nullptr);
    window.drop();
    require_same(window, expected, 200);
}

TEST_CASE("of two commands with one id the newer is found, until it is forgotten") {
    auto window = must(command_window::make(3, 1));
    window.restore({id_of(1), 3}, 10, 0, 2);
    window.restore({id_of(2), 6}, 12, 0, 1);
    window.restore({id_of(1), 3}, 20, 0, 1);
    CHECK(window.find(id_of(1))->first == 20);
    // The older one goes, and the newer one stays.
    window.restore({id_of(3), 9}, 30, 0, 1);
    CHECK(window.find(id_of(1))->first == 20);
    window.restore({id_of(4), 12}, 40, 0, 1);
    window.restore({id_of(5), 15}, 50, 0, 1);
    CHECK(window.find(id_of(1)) == nullptr);
    CHECK(window.find(id_of(3))->first == 30);
}

TEST_CASE("a window of none remembers nothing") {
    auto window = must(command_window::make(0, 1));
    CHECK(!window.enabled());
    must(window.make_room(100));
    CHECK(window.find(id_of(1)) == nullptr);
}
