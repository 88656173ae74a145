#include "state_bytes.hpp"

#include <xxhash.h>

#include <bit>
#include <concepts>
#include <cstring>
#include <string>
#include <utility>

namespace exchange {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t bytes_per_level = 8 + 4;
constexpr std::size_t bytes_per_order = 8 + 4 + 2;
constexpr std::size_t bytes_per_trade = 8 + 8 + 1 + 8 + 4 + 2 + 2 + 1;
constexpr std::size_t bytes_per_book = 4 + 4 + 8 + 4;

class byte_writer {
  public:
    template <std::integral... Numbers>
    void put(Numbers... numbers) {
        (put_one(numbers), ...);
    }
    std::vector<std::byte> take() { return std::move(bytes_); }

  private:
    template <std::integral Number>
    void put_one(Number number) {
        const auto* first = reinterpret_cast<const std::byte*>(&number);
        bytes_.insert(bytes_.end(), first, first + sizeof number);
    }

    std::vector<std::byte> bytes_;
};

// Once it has run out of bytes it returns zeros and failed() stays true.
class byte_reader {
  public:
    explicit byte_reader(std::span<const std::byte> bytes) : bytes_{bytes} {}

    template <std::integral Number>
    Number get() {
        Number number = 0;
        if (left() < sizeof number) {
            failed_ = true;
            return 0;
        }
        std::memcpy(&number, bytes_.data() + at_, sizeof number);
        at_ += sizeof number;
        return number;
    }
    // Reads a count of items that take at least `bytes_each`, never more than the remaining bytes
    // can hold.
    std::uint32_t count(std::size_t bytes_each) {
        const auto n = get<std::uint32_t>();
        failed_ = failed_ || n > left() / bytes_each;
        return failed_ ? 0 : n;
    }
    [[nodiscard]] std::size_t at() const { return at_; }
    [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }
    [[nodiscard]] bool failed() const { return failed_; }

  private:
    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
    bool failed_ = false;
};

std::unexpected<pawl::error> malformed(const byte_reader& in, std::string detail) {
    return std::unexpected(
        pawl::error{.code = pawl::errc::malformed, .offset = in.at(), .detail = std::move(detail)});
}

void put_side(byte_writer& out, const book& b, side s) {
    out.put(static_cast<std::uint32_t>(b.levels(s)));
    for (std::size_t rank = 0; rank < b.levels(s); ++rank) {
        const order* first = b.at(s, rank);
        const auto in_level = [&](const order* o) { return o && o->price == first->price; };
        std::uint32_t orders = 0;
        for (const order* o = first; in_level(o); o = b.next(*o))
            ++orders;
        out.put(first->price, orders);
        for (const order* o = first; in_level(o); o = b.next(*o))
            out.put(o->id, o->quantity, o->account);
    }
}

void put_tape(byte_writer& out, const tape& trades) {
    std::uint64_t first = trades.last() + 1;
    while (trades.find(first - 1))
        --first;
    out.put(trades.last(), static_cast<std::uint32_t>(trades.last() + 1 - first));
    for (std::uint64_t number = first; number <= trades.last(); ++number) {
        const trade& t = *trades.find(number);
        out.put(t.maker, t.taker, static_cast<std::uint8_t>(t.side), t.price, t.quantity,
                t.maker_account, t.taker_account, static_cast<std::uint8_t>(t.is_busted));
    }
}

bool is_sound(std::int64_t price, std::uint32_t quantity, account_id account) {
    return price >= 1 && price <= engine::highest_price && quantity >= 1 &&
           quantity <= engine::largest_quantity && account < engine::accounts;
}

pawl::result<void> get_tape(byte_reader& in, tape& trades) {
    const auto last = in.get<std::uint64_t>();
    const std::uint32_t known = in.count(bytes_per_trade);
    if (known > last || known > tape::most_trades)
        return malformed(in, "more trades than an instrument has");
    trades.continue_after(last - known);
    for (std::uint64_t number = last - known + 1; number <= last; ++number) {
        trade t{.number = number};
        t.maker = in.get<order_id>();
        t.taker = in.get<order_id>();
        const auto taker_side = in.get<std::uint8_t>();
        t.side = static_cast<side>(taker_side);
        t.price = in.get<std::int64_t>();
        t.quantity = in.get<std::uint32_t>();
        t.maker_account = in.get<account_id>();
        t.taker_account = in.get<account_id>();
        const auto is_busted = in.get<std::uint8_t>();
        t.is_busted = is_busted == 1;
        if (taker_side > 1 || is_busted > 1 || !is_sound(t.price, t.quantity, t.maker_account) ||
            t.taker_account >= engine::accounts || !trades.add(t))
            return malformed(in, "an impossible trade, or cut short");
    }
    return {};
}

pawl::result<void> get_side(byte_reader& in, exchange_state& to, book& b, side s) {
    const std::uint32_t levels = in.count(bytes_per_level);
    for (std::uint32_t rank = 0; rank < levels; ++rank) {
        const auto price = in.get<std::int64_t>();
        const std::uint32_t orders = in.count(bytes_per_order);
        if (rank > 0 && !better(s, b.at(s, rank - 1)->price, price))
            return malformed(in, "levels out of order");
        for (std::uint32_t n = 0; n < orders; ++n) {
            const auto id = in.get<order_id>();
            const auto quantity = in.get<std::uint32_t>();
            const auto owner = in.get<account_id>();
            if (!is_sound(price, quantity, owner) || !b.add({id, s, price, quantity, owner}))
                return malformed(in, "an order twice, or impossible");
            to.accounts[owner].open[static_cast<std::size_t>(s)] += price * quantity;
        }
        if (orders == 0)
            return malformed(in, "an empty level, or cut short");
    }
    return {};
}

}  // namespace

std::vector<std::byte> to_bytes(const exchange_state& s) {
    byte_writer out;
    out.put(s.events, s.fills, s.filled_quantity, s.busts);
    for (const std::uint64_t last : s.sessions)
        out.put(last);
    for (const account& each : s.accounts)
        out.put(each.balance);
    out.put(static_cast<std::uint32_t>(s.books.size()));
    for (std::size_t n = 0; n < s.books.size(); ++n) {
        put_side(out, s.books[n], side::buy);
        put_side(out, s.books[n], side::sell);
        put_tape(out, s.tapes[n]);
    }
    return out.take();
}

pawl::result<exchange_state> from_bytes(std::span<const std::byte> bytes) {
    byte_reader in{bytes};
    exchange_state s = engine::initial();
    for (std::uint64_t* counter : {&s.events, &s.fills, &s.filled_quantity, &s.busts})
        *counter = in.get<std::uint64_t>();
    for (std::uint64_t& last : s.sessions)
        last = in.get<std::uint64_t>();
    for (account& each : s.accounts)
        each.balance = in.get<std::int64_t>();
    if (in.count(bytes_per_book) != engine::instruments)
        return malformed(in, "a different number of instruments, or cut short");
    for (std::size_t n = 0; n < s.books.size(); ++n) {
        for (const side each : {side::buy, side::sell})
            if (auto read = get_side(in, s, s.books[n], each); !read)
                return std::unexpected(std::move(read.error()));
        if (auto read = get_tape(in, s.tapes[n]); !read)
            return std::unexpected(std::move(read.error()));
    }
    if (in.failed() || in.left() != 0)
        return malformed(in, in.failed() ? "cut short" : "bytes after the end");
    return s;
}

std::uint64_t fingerprint(const exchange_state& s) {
    const std::vector<std::byte> bytes = to_bytes(s);
    return XXH3_64bits(bytes.data(), bytes.size());
}

std::uint64_t engine::digest(const state& s) {
    return fingerprint(s);
}

pawl::result<void> engine::save(const state& s, pawl::snapshot_sink& out) {
    return out.write(to_bytes(s));
}

pawl::result<engine::state> engine::load(std::span<const std::byte> bytes) {
    return from_bytes(bytes);
}

}  // namespace exchange
