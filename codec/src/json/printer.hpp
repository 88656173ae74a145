// Prints one payload while verifying it.
#pragma once

#include "json/payload_reader.hpp"
#include "schema/layout.hpp"

#include <pawl/codec/json.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pawl::detail {

// Every function returns true on success; on failure `failure` holds the reason, and each caller
// adds its field to the path as it returns.
class payload_printer {
  public:
    payload_printer(const schema_layout& schema, const json_options& options,
                    std::span<const std::byte> payload, std::string& to) noexcept
        : schema_{schema}, options_{options}, in_{payload}, to_{to}, start_{to.size()} {}

    // Prints the root of the payload. `depth` is the depth that encloses it if it is nested.
    bool root(const object_layout& type, std::uint32_t depth = 0);

    // Prints one field of the root table, which is present at `at`, even if it has its default.
    bool field(const payload_reader::table& table, const object_layout& type,
               const field_layout& field, std::size_t at);
    // Prints a number, or the name that it has.
    void scalar(const value_type& type, std::uint64_t bits);

    // Fails the whole payload.
    bool fail(std::size_t at, const char* why, errc code = errc::malformed);
    bool in_field(const field_layout& field);
    [[nodiscard]] error failure() const;

  private:
    bool in_element(std::uint32_t index);
    bool within_text_limit(std::size_t at);

    bool table(std::size_t at, const object_layout& type);
    bool present(const payload_reader::table& table, const object_layout& type,
                 const field_layout& field, std::size_t at);
    bool absent(const payload_reader::table& table, const object_layout& type,
                const field_layout& field);
    bool without_value(const payload_reader::table& table, const object_layout& type,
                       const field_layout& field);
    bool structure(std::size_t at, const object_layout& type);
    bool array(const field_layout& field, std::size_t at);
    bool inside_struct(const value_type& type, std::size_t at);
    bool reference(const value_type& type, std::size_t at);
    bool string(std::size_t at);
    bool vector(const payload_reader::table& table, const object_layout& type,
                const field_layout& field, std::size_t at);
    bool element(const field_layout& field, std::size_t at);
    bool union_value(const payload_reader::table& table, const object_layout& type,
                     const field_layout& field, std::size_t at);
    bool union_vector(const payload_reader::table& table, const object_layout& type,
                      const field_layout& field, payload_reader::elements values);
    bool member(const field_layout& field, std::uint8_t type, std::size_t at);
    bool nested(const field_layout& field, payload_reader::elements bytes);

    void bytes_of(std::span<const std::byte> bytes);
    void scalar_at(const value_type& type, std::size_t at);
    void integer(const value_type& type, std::uint64_t bits);
    void enumerator(const enum_layout& of, const value_type& type, std::uint64_t bits);

    const schema_layout& schema_;
    const json_options& options_;
    payload_reader in_;
    std::string& to_;
    std::size_t start_;  // of this event's text
    std::uint32_t depth_ = 0;
    std::uint32_t tables_ = 0;

    errc code_ = errc::malformed;
    std::size_t failed_at_ = 0;
    const char* why_ = "";
    struct step {
        const std::string* field;  // or an element
        std::uint32_t index;
    };
    std::vector<step> path_;
};

}  // namespace pawl::detail
