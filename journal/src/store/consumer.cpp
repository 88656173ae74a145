#include "store/consumer_lease.hpp"

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/detail/guarded.hpp>

#include <utility>

namespace pawl {

consumer::consumer(std::unique_ptr<detail::consumer_lease> lease) noexcept
    : lease_{std::move(lease)} {}
consumer::consumer(consumer&&) noexcept = default;
consumer& consumer::operator=(consumer&&) noexcept = default;
consumer::~consumer() = default;

result<consumer> consumer::open(const std::filesystem::path& directory, std::string_view name,
                                consumer_options options) {
    return detail::guarded([&]() -> result<consumer> {
        auto lease = detail::consumer_lease::open(directory, name, std::move(options));
        if (!lease)
            return std::unexpected(std::move(lease.error()));
        return consumer{std::move(*lease)};
    });
}

const consumer_position& consumer::position() const noexcept {
    return lease_->position();
}
from_point consumer::resume_from() const noexcept {
    return lease_->resume_from();
}
result<void> consumer::commit(const consumer_position& position) {
    return detail::guarded([&] { return lease_->commit(position); });
}
result<void> consumer::sync() {
    return detail::guarded([&] { return lease_->sync(); });
}
std::chrono::steady_clock::time_point consumer::sync_due() const noexcept {
    return lease_->sync_due();
}
result<void> consumer::close() {
    return detail::guarded([&] { return lease_->close(); });
}

}  // namespace pawl
