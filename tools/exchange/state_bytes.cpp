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
constexpr std::size_t bytes_per_order = 8 + 4;
constexpr std::size_t bytes_per_book = 4 + 4;

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
            out.put(o->id, o->quantity);
    }
}

pawl::result<void> get_side(byte_reader& in, book& b, side s) {
    const std::uint32_t levels = in.count(bytes_per_level);
    for (std::uint32_t rank = 0; rank < levels; ++rank) {
        const auto price = in.get<std::int64_t>();
        const std::uint32_t orders = in.count(bytes_per_order);
        if (rank > 0 && !better(s, b.at(s, rank - 1)->price, price))
            return malformed(in, "levels out of order");
        for (std::uint32_t n = 0; n < orders; ++n) {
            const auto id = in.get<order_id>();
            const auto quantity = in.get<std::uint32_t>();
            if (!b.add({id, s, price, quantity}))
                return malformed(in, "an order twice, or empty");
        }
        if (orders == 0)
            return malformed(in, "an empty level, or cut short");
    }
    return {};
}

}  // namespace

std::vector<std::byte> to_bytes(const exchange_state& s) {
    byte_writer out;
    out.put(s.commands, s.events, s.fills, s.filled_quantity, s.rejections,
            static_cast<std::uint32_t>(s.books.size()));
    for (const book& b : s.books) {
        put_side(out, b, side::buy);
        put_side(out, b, side::sell);
    }
    return out.take();
}

pawl::result<exchange_state> from_bytes(std::span<const std::byte> bytes) {
    byte_reader in{bytes};
    exchange_state s;
    for (std::uint64_t* counter :
         {&s.commands, &s.events, &s.fills, &s.filled_quantity, &s.rejections})
        *counter = in.get<std::uint64_t>();
    if (in.count(bytes_per_book) != engine::instruments)
        return malformed(in, "a different number of instruments, or cut short");
    s.books.resize(engine::instruments);
    for (book& b : s.books)
        for (const side each : {side::buy, side::sell})
            if (auto read = get_side(in, b, each); !read)
                return std::unexpected(std::move(read.error()));
    if (in.failed() || in.left() != 0)
        return malformed(in, in.failed() ? "cut short" : "bytes after the end");
    return s;
}

std::uint64_t fingerprint(const exchange_state& s) {
    const std::vector<std::byte> bytes = to_bytes(s);
    return XXH3_64bits(bytes.data(), bytes.size());
}

pawl::result<void> engine::save(const state& s, pawl::snapshot_sink& out) {
    return out.write(to_bytes(s));
}

pawl::result<engine::state> engine::load(std::span<const std::byte> bytes) {
    return from_bytes(bytes);
}

}  // namespace exchange
