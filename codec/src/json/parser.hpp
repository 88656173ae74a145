// Builds one payload from JSON text.
#pragma once

#include "json/scanner.hpp"
#include "schema/layout.hpp"

#include <flatbuffers/flatbuffers.h>

#include <pawl/codec/json.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::detail {

// Every function returns true on success; on failure the scanner holds the reason and the place,
// and `path_` names the field.
class json_parser_state {
  public:
    json_parser_state(const schema_layout& schema, const verify_limits& limits)
        : schema_{schema}, limits_{limits} {}

    result<std::span<const std::byte>> parse(std::string_view text);

  private:
    using offset = flatbuffers::uoffset_t;

    enum class content : std::uint8_t { absent, null, scalar, reference, structure, deferred };
    // The value parsed for one field of an open table or struct.
    struct slot {
        content has = content::absent;
        std::uint64_t value = 0;   // bits, offset in the builder, or place in scratch_
        std::size_t position = 0;  // in the text
    };
    struct step {
        const std::string* field;  // or an element
        std::size_t index;
    };

    bool refuse(std::size_t at, std::string reason, errc code = errc::invalid_argument);
    [[nodiscard]] error failure() const;

    bool root(const object_layout& type);
    bool within_size();
    // Parses the members of an object, calling `value` for each.
    template <class Value>
    bool members(const object_layout& type, std::size_t first_slot, Value&& value);

    bool table(const object_layout& type, offset& to);
    bool field_value(std::size_t first_slot, const field_layout& field);
    bool reference(const field_layout& field, slot& to);
    bool deferred_unions(const object_layout& type, std::size_t first_slot);
    bool complete(const object_layout& type, std::size_t first_slot);
    offset write(const object_layout& type, std::size_t first_slot);
    void write(const field_layout& field, const slot& from, std::size_t align);

    bool structure(const object_layout& type, std::size_t at);
    bool inside_struct(const field_layout& field, std::size_t at);
    bool single_inside_struct(const value_type& type, std::size_t at);

    bool union_value(const field_layout& field, const slot& type, slot& to);
    bool union_vector(const field_layout& field, const slot& types, slot& to);
    bool member(const enum_value& chosen, offset& to);

    bool vector(const field_layout& field, offset& to);
    bool inline_elements(const value_type& type, offset& to);
    bool referred_elements(const value_type& type, offset& to);
    template <class Element>
    bool elements(Element&& element);
    offset write_offsets(std::size_t first);
    bool string(offset& to);
    bool nested(const object_layout& type, offset& to);

    bool scalar(const value_type& type, std::uint64_t& bits);
    bool boolean(std::uint64_t& bits);
    bool enumerator(const value_type& type, std::uint64_t& bits);
    bool integer(const value_type& type, std::uint64_t& bits);
    bool integer_text(std::string_view text, std::size_t at, const value_type& type,
                      std::uint64_t& bits);
    bool real(const value_type& type, std::uint64_t& bits);

    void open_builder(std::size_t level);

    const schema_layout& schema_;
    verify_limits limits_;
    json_scanner in_;
    std::vector<step> path_;
    std::uint32_t depth_ = 0;
    std::uint32_t tables_ = 0;

    // One for the event, and one for each open nested FlatBuffer.
    std::vector<std::unique_ptr<flatbuffers::FlatBufferBuilder>> builders_;
    std::size_t level_ = 0;
    flatbuffers::FlatBufferBuilder* builder_ = nullptr;

    // Stacks: every function pops what it pushed.
    std::vector<slot> slots_;
    std::vector<std::byte> scratch_;  // structs and vectors that are not written yet
    std::vector<offset> offsets_;
};

template <class Value>
bool json_parser_state::members(const object_layout& type, std::size_t first_slot, Value&& value) {
    if (in_.peek() != '{')
        return refuse(in_.position(), "expected an object for " + type.name);
    (void)in_.take('{');
    if (in_.take('}'))
        return true;
    std::size_t hint = 0;
    do {
        (void)in_.peek();
        const std::size_t at = in_.position();
        std::string_view name;
        if (!in_.string(name))
            return false;
        const int found = type.find_any(name, hint);
        if (found < 0)
            return refuse(at,
                          type.name + " has no field \"" + std::string{name.substr(0, 256)} + "\"");
        hint = static_cast<std::size_t>(found) + 1;
        const field_layout& field = type.fields[hint - 1];
        path_.push_back({&field.name, 0});
        if (slots_[first_slot + hint - 1].has != content::absent)
            return refuse(at, "the field is given twice");
        if (!in_.expect(':'))
            return false;
        (void)in_.peek();
        slots_[first_slot + hint - 1].position = in_.position();
        if (!value(field))
            return false;
        path_.pop_back();
    } while (in_.take(','));
    return in_.expect('}');
}

template <class Element>
bool json_parser_state::elements(Element&& element) {
    if (in_.peek() != '[')
        return refuse(in_.position(), "expected an array");
    (void)in_.take('[');
    if (in_.take(']'))
        return true;
    std::size_t index = 0;
    do {
        path_.push_back({nullptr, index++});
        (void)in_.peek();
        if (!element())
            return false;
        path_.pop_back();
    } while (in_.take(','));
    return in_.expect(']');
}

}  // namespace pawl::detail
