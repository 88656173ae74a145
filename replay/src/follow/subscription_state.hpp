// A subscription: the cursor, the filter and the consumer put together.
#pragma once

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/cursor.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/replay/subscription.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::detail {

// "types 3,4; streams 0,7; share 1 of 4"; "all" for everything. The same events, the same text.
[[nodiscard]] std::string selection_text(const subscription_options& options);

class subscription_state {
  public:
    [[nodiscard]] static result<std::unique_ptr<subscription_state>> open(
        const std::filesystem::path& directory, std::string_view name,
        subscription_options options);

    [[nodiscard]] result<std::span<const event>> next(std::chrono::nanoseconds timeout);
    [[nodiscard]] result<void> commit();
    [[nodiscard]] result<void> reset(const start& from);
    [[nodiscard]] consumer& position() noexcept { return consumer_; }
    [[nodiscard]] const consumer& position() const noexcept { return consumer_; }
    [[nodiscard]] sequence_number next_sequence() const noexcept { return reached_.point.next; }

  private:
    using time = std::chrono::steady_clock::time_point;

    subscription_state(std::filesystem::path directory, subscription_options options,
                       consumer position, cursor events);
    [[nodiscard]] bool wants(const event& e) const noexcept;
    [[nodiscard]] result<std::span<const event>> next_unit(time deadline);
    // True if there is an event, false if the deadline has passed.
    [[nodiscard]] result<bool> wait_until(time deadline);

    std::filesystem::path directory_;
    subscription_options options_;
    consumer consumer_;
    cursor events_;
    consumer_position reached_;  // everything before it was returned or passed over
    std::vector<event> unit_;
    std::optional<error> failure_;
};

}  // namespace pawl::detail
