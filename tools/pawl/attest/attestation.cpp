#include "attest/attestation.hpp"

#include "terminal/output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

namespace pawl::cli {

namespace {

constexpr std::string_view first_line = "pawl attestation 1";

std::unexpected<error> malformed(const std::filesystem::path& file, std::string detail) {
    return std::unexpected(
        error{.code = errc::malformed, .file = file.string(), .detail = std::move(detail)});
}

void add_u64(std::vector<std::byte>& to, std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8)
        to.push_back(static_cast<std::byte>(value >> shift & 0xff));
}

result<void> read_block(std::istringstream& words, attestation& to,
                        const std::filesystem::path& file) {
    attested_block block;
    std::string root;
    std::string chain;
    words >> block.first >> block.end >> root >> chain;
    const auto root_digest = digest_in(root);
    const auto chain_digest = digest_in(chain);
    const bool follows =
        to.blocks.empty() || (block.first == to.end() && to.blocks.back().is_complete());
    if (!words || !root_digest || !chain_digest || block.first >= block.end || !follows ||
        block.end - block.first > events_in_block)
        return malformed(file, fmt::format("block {} is none", to.blocks.size()));
    block.root = *root_digest;
    to.add(block);
    if (to.head() != *chain_digest)
        return malformed(file, fmt::format("the chain does not fit block {}, sequences {} to {}",
                                           to.blocks.size() - 1, block.first, block.end));
    return {};
}

}  // namespace

sha256_digest chained(const sha256_digest& before, const journal_id& origin,
                      const attested_block& block) {
    std::vector<std::byte> bytes{std::byte{2}};
    bytes.insert(bytes.end(), before.begin(), before.end());
    const auto id = std::as_bytes(std::span{origin});
    bytes.insert(bytes.end(), id.begin(), id.end());
    add_u64(bytes, block.first);
    add_u64(bytes, block.end);
    bytes.insert(bytes.end(), block.root.begin(), block.root.end());
    return sha256(bytes);
}

void attestation::add(attested_block block) {
    block.chain = chained(head(), origin, block);
    blocks.push_back(block);
}

std::string attestation::statement() const {
    return fmt::format("{} {} {} {}\n", first_line, id_text(origin), end(), hex_text(head()));
}

result<attestation> read_attestation(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    if (!in) {
        return std::unexpected(error{.code = errno == ENOENT ? errc::not_found : errc::io,
                                     .os_error = errno,
                                     .file = file.string()});
    }
    std::string line;
    if (!std::getline(in, line) || line != first_line)
        return malformed(file, "not an attestation");
    attestation made;
    bool has_origin = false;
    while (std::getline(in, line)) {
        std::istringstream words{line};
        std::string what;
        words >> what;
        if (what == "origin") {
            std::string hex;
            words >> hex;
            const auto padded = digest_in(hex + std::string(2 * made.origin.size(), '0'));
            if (!padded)
                return malformed(file, "the origin is no journal's id");
            std::memcpy(made.origin.data(), padded->data(), made.origin.size());
            has_origin = true;
        } else if (what == "block" && has_origin && made.signature.empty()) {
            if (auto read = read_block(words, made, file); !read)
                return std::unexpected(std::move(read.error()));
        } else if (what == "signature") {
            words >> made.signature;
        } else {
            return malformed(file, fmt::format("an unknown line: {}", line));
        }
    }
    if (made.blocks.empty())
        return malformed(file, "no block");
    return made;
}

result<void> write_attestation(const std::filesystem::path& file, const attestation& what) {
    std::string text = fmt::format("{}\norigin {}\n", first_line, id_text(what.origin));
    for (const attested_block& block : what.blocks)
        text += fmt::format("block {} {} {} {}\n", block.first, block.end, hex_text(block.root),
                            hex_text(block.chain));
    if (!what.signature.empty())
        text += fmt::format("signature {}\n", what.signature);
    const std::string fresh = file.string() + ".tmp";
    const auto failed = [&] {
        return std::unexpected(error{.code = errc::io, .os_error = errno, .file = file.string()});
    };
    constexpr int permissions = 0644;
    const int descriptor =
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, permissions);
    if (descriptor < 0)
        return failed();
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t wrote = ::write(descriptor, text.data() + done, text.size() - done);
        if (wrote <= 0)
            break;
        done += static_cast<std::size_t>(wrote);
    }
    const bool written = done == text.size() && ::fsync(descriptor) == 0;
    if (::close(descriptor) != 0 || !written || std::rename(fresh.c_str(), file.c_str()) != 0)
        return failed();
    const auto folder = std::filesystem::absolute(file).parent_path();
    const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = directory >= 0 && ::fsync(directory) == 0;
    if (directory >= 0)
        ::close(directory);
    return synced ? result<void>{} : failed();
}

}  // namespace pawl::cli
