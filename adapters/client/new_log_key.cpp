#include "adapters/client/new_log_key.h"

#include <date/date.h>

#include <algorithm>
#include <ostream>
#include <stdexcept>

#include "adapters/client/agent.h"
#include "adapters/client/new_file.h"
#include "broker/core/limits.h"
#include "broker/crypto/keys.h"

namespace flagpost::client {
namespace {

/// A line of the evidence: whoever reads it must not be shown more lines than were written.
void require_line(const char* option, const std::string& text) {
    const bool controls =
        std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (text.empty() || text.size() > limits::text_size_max || controls)
        throw std::runtime_error{std::string{option} + ": is empty, too long, or no single line"};
}

/// The head remembered, which has to be one that only another key of the same log signed.
std::string head_of_another_key(const Config& config, const Box& box, const log::VerifierKey& key) {
    const auto note = box.fact(checkpoint_fact);
    if (!note)
        throw std::runtime_error{"not needed: " + config.data.string() + " remembers no head of the log"};
    if (log::open_checkpoint(*note, key))
        throw std::runtime_error{"not needed: the head remembered is signed by the key in " +
                                 config.log_vkey.string()};
    const auto parsed = log::SignedNote::parse(*note);
    const auto head = parsed ? log::Checkpoint::parse(parsed->text) : tl::unexpected{parsed.error()};
    if (!head)
        throw std::runtime_error{config.data.string() + ": the head remembered cannot be read (" +
                                 head.error().where + "): this is no change of the log's key"};
    if (head->origin != key.name())
        throw std::runtime_error{"the head remembered is of the log " + head->origin + ", the key in " +
                                 config.log_vkey.string() + " of " + key.name() +
                                 ": this is no change of the log's key"};
    if (log::line_of(*parsed, key) == log::Line::fails)
        throw std::runtime_error{config.data.string() + ": the head remembered is not what the key in " +
                                 config.log_vkey.string() + " signed: this is no change of the log's key"};
    return *note;
}

}  // namespace

void NewLogKey::take(CLI::App& command) {
    command
        .add_option("--vkey", vkey,
                    "the new key as it was handed over (name+hash+key), which the settings have to name")
        ->required();
    command.add_option("--by", by, "the named person who decides this")->required();
    command.add_option("--reason", reason, "why, and how the new key was checked")->required();
}

std::filesystem::path forget_head(const Config& config, Box& box, const NewLogKey& asked, Instant now) {
    require_line("--by", asked.by);
    require_line("--reason", asked.reason);
    const auto key = read_vkey(config.log_vkey);
    if (asked.vkey != key.text())
        throw std::runtime_error{"--vkey: is not the key in " + config.log_vkey.string() + ", which is " +
                                 key.text()};
    const auto head = head_of_another_key(config, box, key);
    const auto at = std::chrono::floor<std::chrono::seconds>(now);
    auto text = "by: " + asked.by + "\nat: " + date::format("%FT%TZ", at) + "\nreason: " + asked.reason +
                "\nnew key: " + asked.vkey + "\nremembered:\n" + head;
    if (const auto alarm = box.fact(evidence_fact)) text += "\nlast alarm:\n" + *alarm;
    auto file = config.data;
    file += date::format(".head-%Y%m%dT%H%M%SZ", at);
    write_new(file, view(text));
    box.forget_fact(checkpoint_fact);
    return file;
}

int follow_new_log_key(const Config& config, const NewLogKey& asked, std::ostream& out) {
    const auto lock = BoxLock::take(config.data);
    if (!lock)
        throw std::runtime_error{config.data.string() +
                                 ": another program of this agency serves it: stop it first"};
    SystemClock clock;
    crypto::SystemRandom random;
    Box box{config.data, clock, random};
    const auto file = forget_head(config, box, asked, clock.now());
    out << "The head remembered is forgotten and kept as evidence in " << file.string()
        << ".\nThe next connection takes the head it is shown, if the new key signed it, and holds the "
           "broker "
           "to it from then on.\nWhether the log still goes on from the old head an auditor can tell from "
           "that file: hand it to them.\n";
    return 0;
}

}  // namespace flagpost::client
