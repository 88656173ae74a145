// Simulated clients: an endless, repeatable flow of commands that keeps the books busy and bounded.
#pragma once

#include "engine.hpp"

#include <cstdint>

namespace exchange {

// What a session sends depends only on the seed, the session and the command's number there, so a
// client that was interrupted sends the same commands again. Each session trades a share of the
// instruments for accounts of its own: then the books are the same, however the threads of the
// sessions take turns. Uses its own arithmetic, because the standard distributions differ between
// libraries.
class order_flow {
  public:
    // `sessions` is 1 to engine::sessions.
    explicit order_flow(std::uint64_t seed, session_id sessions = 1) noexcept
        : seed_{seed}, sessions_{sessions} {}

    // Command `number`, from 1, of a session below sessions().
    [[nodiscard]] command at(session_id session, std::uint64_t number) const noexcept;

    [[nodiscard]] session_id sessions() const noexcept { return sessions_; }

    static constexpr account_id accounts_per_session = engine::accounts / engine::sessions;

  private:
    std::uint64_t seed_;
    session_id sessions_;
};

}  // namespace exchange
