#include "attest/attestation.hpp"
#include "commands/commands.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>

#include <cstdio>
#include <optional>
#include <string>

namespace pawl::cli {

namespace {

// The attestation so far, without a block that is not complete, which is made again.
struct beginning {
    attestation made;
    std::optional<attested_block> redone;
};

result<beginning> begin_with(const attest_options& options, const journal_info& journal) {
    auto before = read_attestation(options.file);
    if (!before && before.error().code != errc::not_found)
        return std::unexpected(std::move(before.error()));
    beginning from;
    if (!before) {
        from.made.origin = journal.origin;
        return from;
    }
    if (before->origin != journal.origin) {
        return std::unexpected(error{.code = errc::diverged,
                                     .file = options.file.string(),
                                     .detail = "the attestation is of another journal's history"});
    }
    from.made = std::move(*before);
    from.made.signature.clear();
    if (!from.made.blocks.back().is_complete()) {
        from.redone = from.made.blocks.back();
        from.made.blocks.pop_back();
    }
    return from;
}

result<void> add_blocks(beginning& to, cursor& events) {
    merkle_tree tree;
    attested_block block;
    const auto disagrees = [&] {
        return std::unexpected(error{.code = errc::diverged,
                                     .sequence = block.first,
                                     .detail = "an event from here on is not the one that was "
                                               "attested before; nothing was written"});
    };
    while (const event* e = events.next()) {
        if (tree.size() == 0)
            block.first = e->sequence();
        tree.add(content_of(*e));
        block.end = e->sequence() + 1;
        if (to.redone && block.end == to.redone->end && tree.root() != to.redone->root)
            return disagrees();
        if (block.is_complete()) {
            block.root = tree.root();
            to.made.add(block);
            tree.clear();
        }
    }
    if (auto end = events.finish(); !end)
        return std::unexpected(std::move(end.error()));
    if (tree.size() != 0) {
        block.root = tree.root();
        to.made.add(block);
    }
    if (to.redone && to.made.end() < to.redone->end) {
        block.first = to.made.end();
        return std::unexpected(error{.code = errc::diverged,
                                     .sequence = to.made.end(),
                                     .detail = fmt::format("the log ends before sequence {}, up to "
                                                           "which it was attested before",
                                                           to.redone->end)});
    }
    return {};
}

result<attestation> attest(const attest_options& options) {
    const auto journal = inspect(options.directory);
    if (!journal)
        return std::unexpected(journal.error());
    auto from = begin_with(options, *journal);
    if (!from)
        return std::unexpected(std::move(from.error()));
    cursor_options how{.show = visibility::durable,
                       .keep_cached = false,
                       .allow_network_file_system = options.allow_network_file_system};
    const sequence_number end = from->made.end();
    if (end != 0 || from->redone)
        how.from = from_sequence{end == 0 ? from->redone->first : end};
    auto events = cursor::open(options.directory, how);
    if (!events)
        return std::unexpected(std::move(events.error()));
    if (auto added = add_blocks(*from, *events); !added)
        return std::unexpected(std::move(added.error()));
    if (from->made.blocks.empty())
        return fail(errc::not_found, "the journal holds no durable event");
    if (!options.key.empty()) {
        auto signature = sign(from->made.statement(), options.key);
        if (!signature)
            return std::unexpected(std::move(signature.error()));
        from->made.signature = std::move(*signature);
    }
    if (auto written = write_attestation(options.file, from->made); !written)
        return std::unexpected(std::move(written.error()));
    return std::move(from->made);
}

// Gives the statement to a command, on its standard input.
exit_code anchor(const std::string& statement, const std::string& command) {
    std::FILE* to = ::popen(command.c_str(), "we");
    if (to != nullptr) {
        std::fwrite(statement.data(), 1, statement.size(), to);
        const int status = ::pclose(to);
        if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
            return success;
    }
    complain(fmt::format("the command that anchors has failed: {}", command));
    return failure;
}

}  // namespace

exit_code attest_command(const attest_options& options) {
    const auto made = attest(options);
    if (!made)
        return complain(made.error());
    if (options.json) {
        put_json({{"directory", options.directory.string()},
                  {"file", options.file.string()},
                  {"origin", id_text(made->origin)},
                  {"first_sequence", made->blocks.front().first},
                  {"end_sequence", made->end()},
                  {"blocks", made->blocks.size()},
                  {"head", hex_text(made->head())},
                  {"signed", !made->signature.empty()}});
    } else {
        put(
            fmt::format("attested   the durable events from sequence {} up to {}, in {} blocks\n"
                        "head       {}\n"
                        "signed     {}\n",
                        made->blocks.front().first, made->end(), made->blocks.size(),
                        hex_text(made->head()), made->signature.empty() ? "no" : "yes"));
    }
    return options.anchor.empty() ? success : anchor(made->statement(), options.anchor);
}

}  // namespace pawl::cli
