#include "gateway.hpp"

#include <events_bfbs.hpp>

#include <pawl/codec/registration.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>

namespace exchange {
namespace {

// The bytes of a command, as a client would send them: the same command must give the same.
class command_bytes {
  public:
    explicit command_bytes(const command& c) {
        put(c.id), put(c.asks), put(c.account), put(c.instrument), put(c.side);
        put(c.order), put(c.price), put(c.quantity);
        // A command that came before there were day orders has the bytes that it had then.
        if (c.expires_ns != 0)
            put(c.expires_ns);
    }
    [[nodiscard]] std::span<const std::byte> span() const { return std::span{bytes_}.first(used_); }

  private:
    template <class Value>
    void put(const Value& value) {
        std::memcpy(bytes_.data() + used_, &value, sizeof value);
        used_ += sizeof value;
    }

    std::array<std::byte, sizeof(command)> bytes_{};
    std::size_t used_ = 0;
};

}  // namespace

pawl::result<gateway> gateway::open(const std::filesystem::path& directory,
                                    gateway_options options) {
    auto opened = pawl::writer::open(directory, {.segment_bytes = options.segment_bytes,
                                                 .command_window = options.command_window});
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    auto log = std::make_unique<pawl::writer>(std::move(*opened));
    if (auto known = pawl::register_events<engine::events>(*log, events_bfbs()); !known)
        return std::unexpected(std::move(known.error()));
    auto books = pawl::restore<engine>(directory);
    if (!books)
        return std::unexpected(std::move(books.error()));
    auto snapshots = follower::start(directory, {}, {.every_events = options.snapshot_every});
    if (!snapshots)
        return std::unexpected(std::move(snapshots.error()));
    auto sender = fill_sender::start(directory, std::move(options.send), options.arrived,
                                     books->state.fills + books->state.busts);
    if (!sender)
        return std::unexpected(std::move(sender.error()));
    auto started = command_loop::start(*log, {}, books->state);
    if (!started)
        return std::unexpected(std::move(started.error()));
    auto loop = std::make_unique<command_loop>(std::move(*started));
    auto expiry = day_orders::start(*log, *loop);
    if (!expiry)
        return std::unexpected(std::move(expiry.error()));
    return gateway{std::move(log),     std::move(*books), std::move(*snapshots),
                   std::move(*sender), std::move(loop),   std::move(*expiry)};
}

gateway::gateway(std::unique_ptr<pawl::writer> log, pawl::restored<engine> books,
                 follower snapshots, fill_sender sender, std::unique_ptr<command_loop> loop,
                 day_orders expiry)
    : log_{std::move(log)},
      state_{std::move(books.state)},
      restored_{std::move(books.report)},
      snapshots_{std::move(snapshots)},
      sender_{std::move(sender)},
      loop_{std::move(loop)},
      expiry_{std::move(expiry)} {}

pawl::command_origin gateway::origin_of(const command& c) {
    pawl::message_id id{};
    std::memcpy(id.data(), &c.id, sizeof c.id);
    return {.command = pawl::reference_to(id, command_bytes{c}.span()), .records_refusals = true};
}

pawl::result<void> gateway::close() {
    if (auto stopped = expiry_.stop(); !stopped)
        return stopped;
    if (auto stopped = loop_->stop(); !stopped)
        return stopped;
    state_ = loop_->state();
    if (const auto durable = log_->sync(); !durable)
        return std::unexpected(durable.error());
    if (auto sent = sender_.finish(); !sent)
        return sent;
    if (auto stopped = snapshots_.stop(); !stopped)
        return stopped;
    return log_->close();
}

}  // namespace exchange
