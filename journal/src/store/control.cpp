#include "store/control.hpp"

#include "format/hash.hpp"
#include "os/assertion.hpp"
#include "os/file.hpp"
#include "os/this_process.hpp"
#include "store/directory.hpp"
#include "store/segment_file.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <climits>
#include <cstring>
#include <ctime>
#include <string>

namespace pawl::detail {

namespace {

constexpr std::size_t status_offset = control_block_bytes;
constexpr std::array<std::size_t, 2> watermark_offsets{2 * control_block_bytes,
                                                       3 * control_block_bytes};

[[nodiscard]] control_status* status_of(const mapping& bytes) noexcept {
    PAWL_ASSERT(bytes.size() >= control_bytes);
    return reinterpret_cast<control_status*>(bytes.data() + status_offset);
}

using statistics_words =
    std::array<std::uint64_t, sizeof(control_statistics) / sizeof(std::uint64_t)>;

[[nodiscard]] std::uint64_t* statistics_of(const mapping& bytes) noexcept {
    PAWL_ASSERT(bytes.size() >= control_bytes);
    return reinterpret_cast<std::uint64_t*>(bytes.data() + control_statistics_offset);
}

template <class Word>
void put(Word& word, Word value, std::memory_order order = std::memory_order_relaxed) noexcept {
    std::atomic_ref<Word>{word}.store(value, order);
}
template <class Word>
[[nodiscard]] Word get(Word& word, std::memory_order order = std::memory_order_relaxed) noexcept {
    return std::atomic_ref<Word>{word}.load(order);
}

[[nodiscard]] std::uint64_t watermark_checksum(const control_watermark& mark,
                                               std::uint64_t id_word) noexcept {
    return header_checksum(mark) ^ id_word;
}

// The valid watermark with the greater generation; generation 0 if neither is valid.
[[nodiscard]] control_watermark newest_watermark(const mapping& bytes,
                                                 std::uint64_t id_word) noexcept {
    PAWL_ASSERT(bytes.size() >= control_bytes);
    control_watermark newest{};
    for (const std::size_t offset : watermark_offsets) {
        control_watermark mark{};
        std::memcpy(&mark, bytes.data() + offset, sizeof mark);
        if (mark.checksum == watermark_checksum(mark, id_word) &&
            mark.generation > newest.generation) {
            newest = mark;
        }
    }
    return newest;
}

[[nodiscard]] bool is_ours(const mapping& bytes, const journal_id& id) noexcept {
    PAWL_ASSERT(bytes.size() >= control_bytes);
    control_identity identity{};
    std::memcpy(&identity, bytes.data(), sizeof identity);
    return identity.magic == control_magic && identity.checksum == header_checksum(identity) &&
           identity.format_version == format_version &&
           std::memcmp(identity.journal, id.data(), id.size()) == 0;
}

[[nodiscard]] result<void> create_control(const directory_handle& directory, const journal_id& id,
                                          control_watermark mark) {
    std::array<std::byte, control_bytes> fresh{};
    control_identity identity{};
    identity.magic = control_magic;
    identity.format_version = format_version;
    identity.block_bytes = control_block_bytes;
    std::memcpy(identity.journal, id.data(), id.size());
    identity.checksum = header_checksum(identity);
    std::memcpy(fresh.data(), &identity, sizeof identity);
    // Fill both blocks, so that one is whole even if a crash tears the next store to the other.
    for (int block = 0; mark.durable != 0 && block < 2; ++block) {
        ++mark.generation;
        mark.checksum = watermark_checksum(mark, id_word(id));
        std::memcpy(fresh.data() + watermark_offsets[mark.generation % 2], &mark, sizeof mark);
    }
    const std::array parts{std::span<const std::byte>{fresh}};
    return directory.write_whole(control_name, parts);
}

[[nodiscard]] result<mapping> map_control(const directory_handle& directory, file::access access,
                                          mapping::access mode) {
    auto opened = directory.open(control_name, access);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    auto size = opened->size();
    if (!size)
        return std::unexpected(std::move(size.error()));
    if (*size < control_bytes) {
        return std::unexpected(error{.code = errc::damaged,
                                     .offset = *size,
                                     .file = opened->path().string(),
                                     .detail = "the control file ends early"});
    }
    return mapping::of(*opened, mode, control_bytes);
}

}  // namespace

control_page::control_page(mapping bytes, const journal_id& id) noexcept
    : bytes_{std::move(bytes)},
      id_word_{id_word(id)},
      generation_{newest_watermark(bytes_, id_word_).generation} {}

result<control_page> control_page::open_for_writing(const directory_handle& directory,
                                                    const journal_id& id, sequence_number synced) {
    auto old = map_control(directory, file::access::read, mapping::access::read);
    if (!old && old.error().code != errc::not_found && old.error().code != errc::damaged)
        return std::unexpected(std::move(old.error()));
    const bool ours = old && is_ours(*old, id);
    control_watermark mark = ours ? newest_watermark(*old, id_word(id)) : control_watermark{};
    mark.durable = std::max(mark.durable, synced);
    if (auto created = create_control(directory, id, mark); !created) {
        const auto links = directory.links_of(control_name);
        if (!ours || !is_shortage(created.error()) || !links || *links != 1)
            return std::unexpected(std::move(created.error()));
        (void)directory.unlink(std::string{control_name} + ".tmp");
    }
    auto mapped = map_control(directory, file::access::read_write, mapping::access::read_write);
    if (!mapped)
        return std::unexpected(std::move(mapped.error()));
    return control_page{std::move(*mapped), id};
}

void control_page::set_durable(sequence_number durable) const noexcept {
    auto* status = status_of(bytes_);
    put(status->durable, durable);
    put(status->durable_check, mix64(durable ^ id_word_), std::memory_order_release);
}

void control_page::set_published(sequence_number published) const noexcept {
    put(status_of(bytes_)->published, published);
}

void control_page::beat() const noexcept {
    put(status_of(bytes_)->heartbeat_ns, system_time_ns());
}

void control_page::set_state(control_state state, int os_error) const noexcept {
    auto* status = status_of(bytes_);
    put(status->os_error, static_cast<std::uint32_t>(os_error));
    put(status->state, static_cast<std::uint64_t>(state));
}

void control_page::set_owner() const noexcept {
    auto* status = status_of(bytes_);
    const process_name owner = this_process();
    put(status->process, owner.process);
    std::memcpy(status->host, owner.host, sizeof status->host);
    std::memcpy(status->program, owner.program, sizeof status->program);
    std::memcpy(status->boot, owner.boot, sizeof status->boot);
}

void control_page::set_statistics(const control_statistics& now) const noexcept {
    std::uint64_t* to = statistics_of(bytes_);
    const auto words = std::bit_cast<statistics_words>(now);
    for (std::size_t i = 0; i < words.size(); ++i)
        put(to[i], words[i]);
}

void control_page::wake_readers() const noexcept {
    auto* status = status_of(bytes_);
    std::atomic_ref<std::uint32_t>{status->wake}.fetch_add(1, std::memory_order_release);
    ::syscall(SYS_futex, &status->wake, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

result<void> control_page::store_watermark(sequence_number durable) {
    PAWL_ASSERT(durable >= newest_watermark(bytes_, id_word_).durable);
    control_watermark mark{.generation = generation_ + 1, .durable = durable, .checksum = 0};
    mark.checksum = watermark_checksum(mark, id_word_);
    const std::size_t offset = watermark_offsets[mark.generation % 2];
    std::memcpy(bytes_.data() + offset, &mark, sizeof mark);
    if (auto synced = bytes_.sync(offset, sizeof mark); !synced)
        return synced;
    generation_ = mark.generation;
    return {};
}

control_view::control_view(mapping bytes, const journal_id& id, file_identity which) noexcept
    : bytes_{std::move(bytes)}, id_word_{id_word(id)}, which_{which} {}

result<control_view> control_view::open(const directory_handle& directory, const journal_id& id) {
    // Asked first: if the file is replaced in between, the next check notices.
    const auto which = directory.identity_of(control_name);
    auto mapped = map_control(directory, file::access::read, mapping::access::read);
    if (!mapped)
        return std::unexpected(std::move(mapped.error()));
    if (!is_ours(*mapped, id)) {
        return std::unexpected(error{.code = errc::damaged,
                                     .offset = 0,
                                     .file = mapped->path().string(),
                                     .detail = "not this journal's control file"});
    }
    return control_view{std::move(*mapped), id, which.value_or(file_identity{})};
}

bool control_view::has_its_name(const directory_handle& directory) const {
    const auto named = directory.identity_of(control_name);
    return named && *named == which_;
}

std::optional<sequence_number> control_view::durable() const noexcept {
    auto* status = status_of(bytes_);
    constexpr int tries = 100;
    for (int i = 0; i < tries; ++i) {
        const auto check = get(status->durable_check, std::memory_order_acquire);
        const auto value = get(status->durable, std::memory_order_acquire);
        if (check == mix64(value ^ id_word_))
            return value;
    }
    return std::nullopt;
}

sequence_number control_view::published() const noexcept {
    return get(status_of(bytes_)->published);
}
std::uint64_t control_view::heartbeat_ns() const noexcept {
    return get(status_of(bytes_)->heartbeat_ns);
}
std::uint64_t control_view::state() const noexcept {
    return get(status_of(bytes_)->state);
}

int control_view::os_error() const noexcept {
    return static_cast<int>(get(status_of(bytes_)->os_error));
}
control_statistics control_view::statistics() const noexcept {
    std::uint64_t* from = statistics_of(bytes_);
    statistics_words words{};
    for (std::size_t i = 0; i < words.size(); ++i)
        words[i] = get(from[i]);
    return std::bit_cast<control_statistics>(words);
}

std::string control_view::owner() const {
    const auto* status = status_of(bytes_);
    process_name owner{.process = status->process};
    std::memcpy(owner.host, status->host, sizeof owner.host);
    std::memcpy(owner.program, status->program, sizeof owner.program);
    std::memcpy(owner.boot, status->boot, sizeof owner.boot);
    return owner.text();
}

sequence_number control_view::stored_watermark() const noexcept {
    return newest_watermark(bytes_, id_word_).durable;
}

std::uint32_t control_view::wake_word() const noexcept {
    return get(status_of(bytes_)->wake, std::memory_order_acquire);
}

void control_view::sleep(std::uint32_t seen, std::uint64_t timeout_ns) const noexcept {
    constexpr std::uint64_t second = 1'000'000'000;
    const timespec timeout{.tv_sec = static_cast<time_t>(timeout_ns / second),
                           .tv_nsec = static_cast<long>(timeout_ns % second)};
    ::syscall(SYS_futex, &status_of(bytes_)->wake, FUTEX_WAIT, seen, &timeout, nullptr, 0);
}

}  // namespace pawl::detail
