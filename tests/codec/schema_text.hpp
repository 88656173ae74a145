// Schemas written as text inside a test.
#pragma once

#include <catch2/catch.hpp>
#include <flatbuffers/idl.h>

#include <pawl/codec/json.hpp>
#include <pawl/codec/schema.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The binary schema that `flatc --bfbs-builtins` writes for the text.
inline std::vector<std::byte> compile_schema(const std::string& text) {
    flatbuffers::IDLOptions options;
    options.binary_schema_builtins = true;
    options.lang_to_generate = flatbuffers::IDLOptions::kCpp;  // unions of structs and strings
    flatbuffers::Parser parser{options};
    INFO(text);
    if (!parser.Parse(text.c_str()))
        FAIL(parser.error_);
    parser.Serialize();
    const auto* data = reinterpret_cast<const std::byte*>(parser.builder_.GetBufferPointer());
    return {data, data + parser.builder_.GetSize()};
}

inline pawl::schema load_schema(std::span<const std::byte> bfbs, std::string_view table) {
    auto loaded = pawl::schema::load(bfbs, table);
    if (!loaded)
        FAIL(loaded.error().message());
    return std::move(*loaded);
}
inline pawl::schema schema_of(const std::string& text, std::string_view table) {
    return load_schema(compile_schema(text), table);
}

inline std::string print(const pawl::schema& of, std::span<const std::byte> payload,
                         const pawl::json_options& options = {}) {
    std::string text;
    const auto done = pawl::json_printer{of, options}.print(payload, text);
    return done ? text : "failed: " + done.error().message();
}

// What parsing the text and printing the result gives.
inline std::string through(const pawl::schema& of, std::string_view text,
                           const pawl::json_options& options = {}) {
    pawl::json_parser parse{of};
    const auto payload = parse(text);
    return payload ? print(of, *payload, options) : "failed: " + payload.error().detail;
}
