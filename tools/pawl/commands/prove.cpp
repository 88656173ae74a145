#include "attest/attestation.hpp"
#include "commands/commands.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

namespace pawl::cli {

namespace {

result<std::string> proof_of(const prove_options& options) {
    const auto what = read_attestation(options.file);
    if (!what)
        return std::unexpected(what.error());
    const auto journal = inspect(options.directory);
    if (!journal)
        return std::unexpected(journal.error());
    if (journal->origin != what->origin)
        return fail(errc::diverged, "the attestation is of another journal's history");
    const auto in = std::ranges::find_if(what->blocks, [&](const attested_block& block) {
        return options.sequence >= block.first && options.sequence < block.end;
    });
    if (in == what->blocks.end()) {
        return std::unexpected(error{.code = errc::not_found,
                                     .sequence = options.sequence,
                                     .file = options.file.string(),
                                     .detail = "the event is not attested"});
    }
    auto events = cursor::open(options.directory,
                               {.from = from_sequence{in->first},
                                .allow_network_file_system = options.allow_network_file_system});
    if (!events)
        return std::unexpected(std::move(events.error()));
    merkle_tree tree;
    std::vector<std::byte> content;
    while (const event* e = tree.size() == in->end - in->first ? nullptr : events->next()) {
        const std::vector<std::byte> bytes = content_of(*e);
        tree.add(bytes);
        if (e->sequence() == options.sequence)
            content = bytes;
    }
    if (tree.size() != in->end - in->first || tree.root() != in->root) {
        return std::unexpected(
            error{.code = errc::diverged,
                  .sequence = in->first,
                  .detail = "the events of this block are not those that were attested"});
    }
    std::string text =
        fmt::format("pawl proof 1\norigin {}\nsequence {}\nbefore {}\nevent {}\n",
                    id_text(what->origin), options.sequence,
                    hex_text(in == what->blocks.begin() ? sha256_digest{} : std::prev(in)->chain),
                    hex_text(content));
    for (const auto& [left, hash] : tree.path(options.sequence - in->first))
        text += fmt::format("{} {}\n", left ? "left" : "right", hex_text(hash));
    text += fmt::format("block {} {}\n", in->first, in->end);
    for (auto after = std::next(in); after != what->blocks.end(); ++after)
        text += fmt::format("after {} {} {}\n", after->first, after->end, hex_text(after->root));
    text += fmt::format("head {}\n", hex_text(what->head()));
    if (!what->signature.empty())
        text += fmt::format("signature {}\n", what->signature);
    return text;
}

}  // namespace

exit_code prove_command(const prove_options& options) {
    const auto proof = proof_of(options);
    if (!proof)
        return complain(proof.error());
    put(*proof);
    return success;
}

}  // namespace pawl::cli
