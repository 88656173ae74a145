#include "schema/aliases.hpp"
#include "schema/build_layout.hpp"
#include "schema/reach.hpp"

#include <pawl/codec/schema.hpp>
#include <pawl/journal/detail/guarded.hpp>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace pawl {

namespace {

// A table takes at least 8 bytes with its reference, so the size bounds the number of tables.
bool verifies(std::span<const std::uint64_t> words, std::size_t bytes) {
    flatbuffers::Verifier::Options options;
    options.max_depth = 16;
    options.max_tables = static_cast<flatbuffers::uoffset_t>(bytes / 8);
    flatbuffers::Verifier verifier{reinterpret_cast<const std::uint8_t*>(words.data()), bytes,
                                   options};
    return reflection::VerifySchemaBuffer(verifier);
}

result<std::unique_ptr<detail::schema_layout>> load_layout(std::span<const std::byte> bfbs,
                                                           std::string_view table,
                                                           const schema_limits& limits) {
    if (bfbs.size() > limits.max_bytes)
        return fail(errc::too_large, "a binary schema of " + std::to_string(bfbs.size()) +
                                         " bytes where " + std::to_string(limits.max_bytes) +
                                         " are allowed");
    if (bfbs.size() < 16)
        return detail::malformed_schema(std::to_string(bfbs.size()) + " bytes are none");
    std::vector<std::uint64_t> words((bfbs.size() + 7) / 8);  // for the alignment it needs
    std::memcpy(words.data(), bfbs.data(), bfbs.size());
    if (!verifies(words, bfbs.size()))
        return detail::malformed_schema("it does not verify");
    auto layout = detail::build_layout(*reflection::GetSchema(words.data()), table, limits);
    if (layout)
        (*layout)->canonical = detail::encode_canonical(**layout);
    return layout;
}

}  // namespace

result<schema> schema::load(std::span<const std::byte> bfbs, std::string_view table,
                            const schema_limits& limits) {
    return detail::guarded([&]() -> result<schema> {
        auto layout = load_layout(bfbs, table, limits);
        if (!layout)
            return std::unexpected(std::move(layout.error()));
        return schema{std::move(*layout)};
    });
}

std::span<const std::byte> schema::bytes() const noexcept {
    return layout_->canonical;
}

std::string_view schema::table() const noexcept {
    return layout_->object(layout_->root).name;
}

result<void> schema::add_aliases_of(const schema& earlier) {
    return detail::guarded([&]() -> result<void> {
        detail::add_aliases(*layout_, earlier.layout());
        return {};
    });
}

schema::schema(std::unique_ptr<detail::schema_layout> layout) noexcept
    : layout_{std::move(layout)} {}
schema::schema(schema&&) noexcept = default;
schema& schema::operator=(schema&&) noexcept = default;
schema::~schema() = default;

}  // namespace pawl
