#include "attest/attestation.hpp"
#include "events/base64.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace pawl::cli {

namespace {

using key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
using open_file = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

const unsigned char* bytes_of(const std::string& text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

template <class Read>
result<key> read_key(const std::filesystem::path& file, const Read& read) {
    const open_file in{std::fopen(file.c_str(), "re"), &std::fclose};
    if (!in)
        return std::unexpected(error{.code = errno == ENOENT ? errc::not_found : errc::io,
                                     .os_error = errno,
                                     .file = file.string()});
    key made{read(in.get()), &EVP_PKEY_free};
    if (!made || EVP_PKEY_get_base_id(made.get()) != EVP_PKEY_ED25519) {
        return std::unexpected(
            error{.code = errc::malformed,
                  .file = file.string(),
                  .detail = "no Ed25519 key in PEM form, as openssl genpkey makes it"});
    }
    return made;
}

}  // namespace

result<std::string> sign(const std::string& statement, const std::filesystem::path& private_key) {
    auto with = read_key(private_key, [](std::FILE* in) {
        return PEM_read_PrivateKey(in, nullptr, nullptr, nullptr);
    });
    if (!with)
        return std::unexpected(std::move(with.error()));
    const context work{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    std::vector<unsigned char> made(64);
    std::size_t size = made.size();
    if (!work || EVP_DigestSignInit(work.get(), nullptr, nullptr, nullptr, with->get()) != 1 ||
        EVP_DigestSign(work.get(), made.data(), &size, bytes_of(statement), statement.size()) != 1)
        return fail(errc::io, "libcrypto cannot sign");
    std::string text;
    append_base64(text, std::as_bytes(std::span{made}.first(size)));
    return text;
}

result<void> check_signature(const attestation& what, const std::filesystem::path& public_key) {
    if (what.signature.empty())
        return fail(errc::malformed, "the attestation is not signed");
    auto with = read_key(
        public_key, [](std::FILE* in) { return PEM_read_PUBKEY(in, nullptr, nullptr, nullptr); });
    if (!with)
        return std::unexpected(std::move(with.error()));
    const auto signature = from_base64(what.signature);
    const context work{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    const std::string statement = what.statement();
    if (!signature || !work ||
        EVP_DigestVerifyInit(work.get(), nullptr, nullptr, nullptr, with->get()) != 1 ||
        EVP_DigestVerify(work.get(), reinterpret_cast<const unsigned char*>(signature->data()),
                         signature->size(), bytes_of(statement), statement.size()) != 1)
        return fail(errc::malformed, "the signature is not of this attestation and key");
    return {};
}

}  // namespace pawl::cli
