#include "adapters/auditor/commands.h"

#include <unistd.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <ostream>

#include "adapters/auditor/carry.h"
#include "adapters/auditor/complete.h"
#include "adapters/auditor/decisions.h"
#include "adapters/auditor/explain.h"
#include "adapters/auditor/http_post.h"
#include "adapters/auditor/layout.h"
#include "adapters/auditor/printable.h"
#include "adapters/auditor/progress.h"
#include "adapters/auditor/proof.h"
#include "adapters/auditor/readings.h"
#include "adapters/auditor/replay.h"
#include "adapters/auditor/signatures.h"
#include "adapters/auditor/subject.h"
#include "adapters/auditor/verify.h"
#include "adapters/auditor/wire_source.h"
#include "adapters/client/new_file.h"
#include "adapters/web/settings.h"
#include "broker/core/limits.h"
#include "broker/crypto/keys.h"
#include "broker/log/disclosure.h"
#include "broker/log/reference.h"

namespace flagpost::auditor {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds cosign_patience{30};

/// The beginning of a file; what is longer than `most` is refused by whoever reads it.
std::string file_in(const fs::path& path, std::size_t most) {
    std::ifstream in{path, std::ios::binary};
    std::string content(most + 1, '\0');
    in.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (in.bad() || !in.is_open()) throw WrongUsage{path.string() + ": cannot be read"};
    content.resize(static_cast<std::size_t>(in.gcount()));
    return content;
}

log::VerifierKey key_in(const fs::path& path, log::VerifierKey::Type type = log::VerifierKey::Type::note) {
    auto line = file_in(path, limits::policy_size_max);
    while (line.ends_with('\n')) line.pop_back();
    const auto key = log::VerifierKey::parse(line);
    if (!key || key->type() != type)
        throw WrongUsage{path.string() + (type == log::VerifierKey::Type::note
                                              ? ": is not the key of a log"
                                              : ": is not the key of a witness")};
    return *key;
}

Instant time_in(const std::string& text) {
    const auto time = parse_time(text);
    if (!time) throw WrongUsage{text + ": is not a time such as 2026-03-02 or 2026-03-02T21:40:12"};
    return *time;
}

void require_new(const fs::path& path) {
    if (fs::exists(fs::symlink_status(path))) throw WrongUsage{path.string() + ": exists already"};
}

/// Whoever is connected to the broker as this auditor.
class Connection {
public:
    explicit Connection(const fs::path& config_file)
        : config_{client::load_config(config_file, web::setting_names())},
          lock_{client::BoxLock::take(config_.data)},
          box_{config_.data, clock_, random_},
          agent_{config_, box_, clock_, random_} {
        if (!lock_)
            throw std::runtime_error{config_.data.string() + ": in use by another program of this agency"};
    }
    const client::Config& config() const { return config_; }
    WireSource source(std::optional<log::Policy> policy = {}) { return {agent_, std::move(policy)}; }

    client::Agent& agent() { return agent_; }

private:
    client::Config config_;
    std::optional<client::BoxLock> lock_;
    SystemClock clock_;
    crypto::SystemRandom random_;
    client::Box box_;
    client::Agent agent_;
};

std::size_t tell_all(WireSource& source, const fs::path& directory) {
    return tell_readings(
        directory, [&](const std::string& read, const std::string& why) { source.tell_reading(read, why); });
}

void require_export(const Typed& typed) {
    if (!fs::is_regular_file(typed.directory / "checkpoint"))
        throw WrongUsage{typed.directory.string() + ": is no export: it has no checkpoint"};
}

/// Writes down that an export is read, and why: in the terms it was sealed under, if nothing else is said.
void note(const Typed& typed, const char* command) {
    require_export(typed);
    require_reason(typed);
    const auto terms = SealedTerms::in(typed.directory);
    note_reading(typed.directory, command, typed.reason.empty() && terms ? terms->reason : typed.reason);
}

crypto::BoxKey own_key(const Typed& typed) {
    require_export(typed);
    const auto terms = SealedTerms::in(typed.directory);
    if (!terms)
        throw WrongUsage{typed.directory.string() + ": is a public export; bodies lie in a sealed one"};
    auto key = [&] {
        try {
            return crypto::BoxKey::load(typed.key);
        } catch (const std::runtime_error& error) {
            throw WrongUsage{error.what()};
        }
    }();
    if (key.public_key() != terms->key)
        throw WrongUsage{typed.key.string() + ": is not the key that " + typed.directory.string() +
                         " was sealed to"};
    return key;
}

/// Throws WrongUsage for an entry that the export has not.
Proven proven(const Typed& typed, std::uint64_t index) {
    const auto size = size_by_files(typed.directory);
    if (size == 0) throw WrongUsage{typed.directory.string() + ": has no entries"};
    if (index >= size)
        throw WrongUsage{"entry " + std::to_string(index) + ": the export has entries 0 to " +
                         std::to_string(size - 1)};
    return prove(typed.directory, index);
}

/// Entries that hold a version of the incident, by their number or by force and reference.
std::set<std::uint64_t> entries_of(const Typed& typed) {
    std::uint64_t index = 0;
    const auto* const end = typed.incident.data() + typed.incident.size();
    if (const auto [to, error] = std::from_chars(typed.incident.data(), end, index);
        to == end && error == std::errc{}) {
        const auto leaf = log::decode_leaf(proven(typed, index).leaf);
        if (!leaf || leaf->kind != log::LeafKind::published || !leaf->topic.starts_with("incidents/"))
            throw WrongUsage{"entry " + typed.incident + ": is no incident"};
        return {index};
    }
    if (typed.key.empty())
        throw WrongUsage{"--incident " + typed.incident +
                         ": by its reference only with --key, else by its entry"};
    const auto key = own_key(typed);
    std::set<std::uint64_t> entries;
    for (const auto& part : explain(typed.directory, &key, typed.incident))
        if (part["what"] == "published") entries.insert(part["index"].get<std::uint64_t>());
    if (entries.empty())
        throw WrongUsage{"no incident " + printable(typed.incident) + " that you can read in this export"};
    return entries;
}

Id16 reference_in(const std::string& text) {
    const auto bytes = from_hex(text);
    const auto reference = bytes ? exactly<16>(*bytes) : std::nullopt;
    if (!reference)
        throw WrongUsage{"--subject: is not a reference of 32 hexadecimal digits, as --json shows"};
    return *reference;
}

std::string in_a_row(const std::set<std::string>& keys) {
    std::string row;
    for (const auto& each : keys) row += " " + printable(each);
    return row;
}

Carrier::Ways ways_of(WireSource& source, const client::Agent& agent, const std::string& url) {
    return {
        [url](const std::string& body) { return http_post(url + "/add-checkpoint", body); },
        [&source](std::uint64_t old_size, std::uint64_t size) {
            return log::consistency_proof(old_size, size, [&](log::TileId id) {
                return source.tile(id, width_of(id.level, id.number, size));
            });
        },
        [&source, &agent] {
            auto newest = source.checkpoint();  // connects, if need be; then there is one shown
            return agent.head_shown().value_or(std::move(newest));
        },
        [&source] { return source.checkpoint(); },
    };
}

/// Where the evidence of an alarm lies. While it is there nothing is carried: a person has to have looked.
fs::path alarm_file(const client::Config& config) {
    auto file = config.data;
    return file += ".witness-alarm";
}

/// Whether a cosignature was brought back.
bool carry_one(Carrier& carrier, Connection& connection, std::ostream& out) {
    try {
        const auto cosigned = carrier.carry();
        if (!cosigned && cosigned.error().reason != Reason::busy)
            throw std::runtime_error{cosigned.error().where};
        const auto problem =
            cosigned ? connection.agent().cosign(*cosigned, cosign_patience) : cosigned.error().where;
        if (problem)
            out << "not cosigned: " << *problem << std::endl;
        else
            out << "cosigned: " << log::Checkpoint::parse(log::SignedNote::parse(*cosigned)->text)->size
                << " entries" << std::endl;
        return !problem;
    } catch (const WitnessAlarm& alarm) {
        const auto file = alarm_file(connection.config());
        client::write_new(file, view(alarm.evidence));
        throw client::LogAlarm{std::string{"ALARM: "} + alarm.what() + "; the evidence is in " +
                               file.string()};
    }
}

/// For as long as nothing is alarming: a broker or a witness that is away comes back.
[[noreturn]] void carry_on(Carrier& carrier, Connection& connection, std::chrono::seconds every,
                           std::ostream& out) {
    for (;;) {
        try {
            carry_one(carrier, connection, out);
        } catch (const client::LogAlarm&) {
            throw;
        } catch (const std::runtime_error& error) {
            out << "not cosigned: " << error.what() << "; tried again in " << every.count() << " s"
                << std::endl;
        }
        connection.agent().idle(every);
    }
}

}  // namespace

void require_reason(const Typed& typed) {
    if (!typed.reason.empty() && !log::is_reference(typed.reason))
        throw WrongUsage{
            "--reason: should be the number of a case or a code, such as ICO-2026-17, of at most 64 letters, "
            "digits and "
            "-_./: with a digit: it stands in the log for ever, where no name may"};
}

log::Policy trusted_by(const Typed& typed) {
    if (typed.policy.empty()) return log::Policy::of_log(key_in(typed.vkey));
    auto policy = log::Policy::parse(file_in(typed.policy, limits::policy_size_max));
    if (!policy) throw WrongUsage{typed.policy.string() + ": " + policy.error().where};
    return *std::move(policy);
}

int run_export(const Typed& typed, std::ostream& out) {
    std::optional<SealedTerms> terms;
    if (typed.sealed) {
        if (!log::Scope::parse(typed.scope))
            throw WrongUsage{
                "--scope: is not all, entries=FIRST-LAST, controller=KIND/CODE, or both with a comma"};
        if (typed.reason.empty()) throw WrongUsage{"--reason: why, such as the number of a case"};
        require_reason(typed);
        terms = {typed.scope, typed.reason, crypto::load_box_public_key(typed.for_key)};
    }
    Connection connection{typed.config};
    auto source = connection.source(typed.policy.empty() ? std::nullopt : std::optional{trusted_by(typed)});
    const auto told = tell_all(source, typed.directory);
    ProgressBar bar{"exporting"};
    const auto exported =
        write_export(source, key_in(connection.config().log_vkey), typed.directory, terms, bar.to());
    out << "exported " << exported.size << " entries, " << exported.new_entries << " of them new, "
        << exported.bytes << " bytes, to " << typed.directory.string() << "\n";
    if (told > 0) out << "told the broker of " << told << " readings made offline\n";
    return 0;
}

int run_tell_readings(const Typed& typed, std::ostream& out) {
    Connection connection{typed.config};
    auto source = connection.source();
    out << "told the broker of " << tell_all(source, typed.directory) << " readings made offline\n";
    return 0;
}

int run_carry(const Typed& typed, std::ostream& out) {
    const auto witness = key_in(typed.vkey, log::VerifierKey::Type::cosignature);
    Connection connection{typed.config};
    if (const auto file = alarm_file(connection.config()); fs::exists(file))
        throw std::runtime_error{"nothing is carried: " + file.string() +
                                 " is the evidence of an alarm; look, and move it away"};
    auto source = connection.source();
    Carrier carrier{key_in(connection.config().log_vkey), witness,
                    ways_of(source, connection.agent(), typed.witness_url)};
    if (typed.every_s > 0) carry_on(carrier, connection, std::chrono::seconds{typed.every_s}, out);
    return carry_one(carrier, connection, out) ? 0 : 1;
}

int run_new_log_key(const Typed& typed, std::ostream& out) {
    return client::follow_new_log_key(client::load_config(typed.config, web::setting_names()), typed.new_key,
                                      out);
}

int run_verify(const Typed& typed, std::ostream& out) {
    const auto policy = trusted_by(typed);
    std::optional<crypto::BoxKey> key;
    if (typed.signatures) {
        if (typed.key.empty())
            throw WrongUsage{"--signatures: needs --key, as the messages are in the bodies"};
        key = own_key(typed);
        note(typed, "verify");
    }
    std::optional<Signatures> signatures;
    const auto verification = [&] {
        ProgressBar bar{"verifying"};
        return verify(typed.directory, policy, bar.to());
    }();
    // Of entries that are not what was logged it says nothing who signed them.
    if (key && verification.verified()) {
        ProgressBar bar{"verifying signatures"};
        signatures = check_signatures(typed.directory, *key, bar.to());
    }
    tell(out, verification, typed.json, signatures ? &*signatures : nullptr);
    if (!verification.verified()) return 1;
    return signatures && !signatures->hold() ? 1 : 0;
}

int run_prove(const Typed& typed, std::ostream& out) {
    require_new(typed.out);
    require_new(typed.leaf);
    note(typed, "prove");
    const auto found = proven(typed, typed.index);
    client::write_new(typed.out, view(found.proof.format()));
    client::write_new(typed.leaf, found.leaf);
    out << "entry " << typed.index << ": proof in " << typed.out.string() << ", its bytes in "
        << typed.leaf.string() << "\n";
    return 0;
}

int run_check(const Typed& typed, std::ostream& out) {
    const auto proof = log::TlogProof::parse(file_in(typed.file, 2 * limits::note_size_max));
    if (!proof) {
        out << "NOT PROVEN: " << typed.file.string() << ": " << proof.error().where << "\n";
        return 1;
    }
    const auto leaf = file_in(typed.leaf, limits::leaf_size_max);
    const auto judged = log::check_proof(*proof, view(leaf), trusted_by(typed));
    if (!judged) {
        out << "NOT PROVEN: entry " << proof->index << ": " << judged.error().where << "\n";
        return 1;
    }
    out << "proven: these bytes are entry " << proof->index << " of " << judged->head.origin << ", "
        << judged->head.size << " entries, cosigned by " << judged->witnesses.size() << " known witnesses\n";
    if (const auto decoded = log::decode_leaf(view(leaf))) out << in_words(*decoded, proof->index) << "\n";
    return 0;
}

int run_replay(const Typed& typed, std::ostream& out) {
    ReplayOptions options;
    options.json = typed.json;
    if (!typed.from.empty()) options.from = time_in(typed.from);
    if (!typed.to.empty()) options.to = time_in(typed.to);
    if (options.from >= options.to) throw WrongUsage{"--to: is not after --from"};
    if (!typed.agency.empty()) {
        const auto id = AgencyId::parse(typed.agency);
        if (!id) throw WrongUsage{typed.agency + ": is not an agency such as police/31"};
        options.agency = *id;
    }
    if (!typed.subject.empty()) options.subject = reference_in(typed.subject);
    note(typed, "replay");
    if (!typed.incident.empty()) options.entries = entries_of(typed);
    // Lines on the same terminal show by themselves how far it is.
    ProgressBar bar{"reading"};
    const auto told =
        replay(typed.directory, options, out, ::isatty(STDOUT_FILENO) == 1 ? Progress{} : bar.to());
    if (told == 0 && !typed.json) out << "no entry of this export is of what you asked for\n";
    return 0;
}

int run_complete(const Typed& typed, std::ostream& out) {
    note(typed, "complete");
    ProgressBar bar{"reading"};
    const auto completeness = complete(typed.directory, bar.to());
    tell(out, completeness, typed.json);
    return completeness.complete() ? 0 : 1;
}

int run_decisions(const Typed& typed, std::ostream& out) {
    const auto key = own_key(typed);
    note(typed, "decisions");
    ProgressBar bar{"deciding again"};
    const auto decisions = replay_decisions(typed.directory, key, bar.to());
    tell(out, decisions, typed.json);
    return decisions.differs == 0 ? 0 : 1;
}

int run_explain(const Typed& typed, std::ostream& out) {
    const auto key = own_key(typed);
    note(typed, "explain");
    ProgressBar bar{"reading"};
    const auto explanation = explain(typed.directory, &key, typed.incident, bar.to());
    if (explanation.empty())
        throw WrongUsage{
            "no incident " + printable(typed.incident) +
            " that you can read in this export: it is not there, not in your scope, or erased; try the "
            "number of its entry"};
    if (typed.json)
        out << explanation.dump(2, ' ', true, nlohmann::json::error_handler_t::replace) << "\n";
    else
        out << explained_in_words(explanation);
    return 0;
}

int run_subject(const Typed& typed, std::ostream& out) {
    const auto key = own_key(typed);
    require_new(typed.out);
    note(typed, "subject");
    ProgressBar bar{"reading"};
    std::set<std::string> keys{typed.people.begin(), typed.people.end()};
    if (!typed.family_name.empty())
        keys.merge(subject_keys(typed.directory, key, typed.family_name, typed.born, bar.to()));
    if (keys.empty())
        throw WrongUsage{typed.family_name.empty()
                             ? "whom it is about: --person, or --family-name with --born"
                             : "nobody of that name and date of birth that you can read in this export"};
    const auto draft = subject_draft(typed.directory, key, keys, bar.to());
    if (draft["items"].empty())
        throw WrongUsage{"nothing about" + in_a_row(keys) + " that you can read in this export"};
    client::write_new(typed.out,
                      view(draft.dump(1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n"));
    out << draft["items"].size() << " items about" << in_a_row(keys) << ", to be marked, in "
        << typed.out.string() << "\n";
    return 0;
}

int run_release(const Typed& typed, std::ostream& out) {
    std::ifstream in{typed.file};
    const auto draft = nlohmann::ordered_json::parse(in, nullptr, false);
    if (draft.is_discarded()) throw WrongUsage{typed.file.string() + ": is not JSON"};
    require_new(typed.out);
    const auto released = release(draft);
    client::write_new(typed.out, view(released.text));
    out << released.kept << " items released, " << released.redacted << " in part, " << released.withheld
        << " withheld: " << typed.out.string() << "\n";
    return 0;
}

}  // namespace flagpost::auditor
