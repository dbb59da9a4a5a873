/// flagpost-audit: takes the log away from the broker and checks it without the broker.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "adapters/auditor/commands.h"
#include "adapters/auditor/serve.h"
#include "adapters/client/usage.h"
#include "broker/crypto/private_file.h"

using namespace flagpost;
using auditor::Typed;

namespace {

/// The command line: what each command takes, and which one was typed.
class CommandLine {
public:
    CommandLine() {
        app.require_subcommand(1);
        app.failure_message(client::usage_fault);
        app.set_version_flag("--version", "flagpost-audit " FLAGPOST_VERSION);
        app.footer(
            "Exit codes: 0 all well, 1 something is damaged, open, differing or went wrong, 2 wrong usage.\n"
            "docs/guides/audit.md leads through all of them.");
        add_export();
        add_carry();
        add_new_log_key();
        add_verify();
        add_proofs();
        add_reading();
        add_decisions();
        add_subject();
        add_desk();
    }

    CLI::App app{"Takes the log away from the broker and checks it without the broker.", "flagpost-audit"};
    std::function<int()> action;

private:
    using Run = int (*)(const Typed&, std::ostream&);

    CLI::App* command(const char* name, const char* what, Run run) {
        auto* added = app.add_subcommand(name, what);
        added->callback([this, run] { action = [this, run] { return run(typed, std::cout); }; });
        return added;
    }
    CLI::Option* takes_export(CLI::App* to) {
        return to->add_option("DIR", typed.directory, "the export")
            ->required()
            ->check(CLI::ExistingDirectory);
    }
    CLI::Option* takes_key(CLI::App* to) {
        return to->add_option("--key", typed.key, "your own key, that the export is sealed to (X25519, PEM)")
            ->check(CLI::ExistingFile);
    }
    void takes_json(CLI::App* to) { to->add_flag("--json", typed.json, "answer in JSON"); }
    void takes_config(CLI::App* to) {
        to->add_option("--config", typed.config, "config file of the auditor (TOML)")
            ->required()
            ->check(CLI::ExistingFile);
    }
    CLI::Option* takes_reason(CLI::App* to) {
        return to->add_option("--reason", typed.reason,
                              "why: the number of a case or a code, no words; the log shows it");
    }
    void takes_trust(CLI::App* to) {
        auto* trust = to->add_option_group("trust");
        trust
            ->add_option("--policy", typed.policy,
                         "trust policy: C2SP tlog-policy, lines log, witness, group, quorum")
            ->check(CLI::ExistingFile);
        trust->add_option("--vkey", typed.vkey, "the log's verifier key")->check(CLI::ExistingFile);
        trust->require_option(1);
    }

    void add_export() {
        auto* exporting =
            command("export",
                    "Fetch the log as it stands at the newest signed head, into a folder; an export that "
                    "is there is brought up to it.",
                    auditor::run_export);
        takes_config(exporting);
        auto* what = exporting->add_option_group("what");
        what->add_option("--public", typed.directory, "the folder: tiles, heads, policies; opens nothing");
        auto* sealed = what->add_option_function<std::string>(
            "--sealed",
            [this](const std::string& directory) {
                typed.directory = directory;
                typed.sealed = true;
            },
            "the folder: bodies too, and what opens them, sealed to you");
        what->require_option(1);
        auto* scope = exporting->add_option(
            "--scope", typed.scope,
            "of which bodies: all, entries=FIRST-LAST, controller=KIND/CODE; with --sealed");
        auto* to =
            exporting->add_option("--for", typed.for_key, "your public key (X25519, PEM); with --sealed")
                ->check(CLI::ExistingFile);
        exporting
            ->add_option("--policy", typed.policy, "wait for a head that this policy accepts, and take that")
            ->check(CLI::ExistingFile);
        auto* reason = takes_reason(exporting);
        sealed->needs(scope)->needs(to)->needs(reason);

        auto* telling = command("tell-readings", "Tell the broker what was read offline; export does so too.",
                                auditor::run_tell_readings);
        takes_config(telling);
        takes_export(telling);
    }

    void add_carry() {
        auto* carrying =
            command("carry",
                    "Carry the newest signed head to a witness outside the partnership (C2SP tlog-witness) "
                    "and its cosignature back. Exit code 1, with the evidence kept, if that witness has "
                    "seen another history.",
                    auditor::run_carry);
        takes_config(carrying);
        carrying->add_option("--witness", typed.witness_url, "its URL, without /add-checkpoint")->required();
        carrying->add_option("--witness-key", typed.vkey, "its verifier key, handed over out of band")
            ->required()
            ->check(CLI::ExistingFile);
        carrying
            ->add_option("--every", typed.every_s, "seconds until the next head is carried; without it, once")
            ->check(CLI::Range(1, 86'400));
    }

    void add_new_log_key() {
        auto* following = command("new-log-key", client::NewLogKey::description, auditor::run_new_log_key);
        takes_config(following);
        typed.new_key.take(*following);
    }

    void add_verify() {
        auto* verifying =
            command("verify",
                    "Check every byte of an export against the head the log signed; needs no network.\n"
                    "Trusts only the policy or key given here, which must not come with the export.",
                    auditor::run_verify);
        takes_export(verifying);
        takes_trust(verifying);
        verifying->add_flag(
            "--signatures", typed.signatures,
            "also whether each message and receipt was signed by the agency its entry names; with --key");
        takes_key(verifying);
        takes_reason(verifying);
        takes_json(verifying);
    }

    void add_proofs() {
        auto* proving =
            command("prove", "Write one entry and the proof that it is in the log.", auditor::run_prove);
        takes_export(proving);
        proving->add_option("INDEX", typed.index, "the entry")->required();
        proving->add_option("--out", typed.out, "the proof to write, FILE.tlog-proof")->required();
        proving->add_option("--leaf", typed.leaf, "the entry's bytes to write")->required();

        auto* checking = command("check", "Check such a proof; needs nothing but it.", auditor::run_check);
        checking->add_option("PROOF", typed.file, "FILE.tlog-proof")->required()->check(CLI::ExistingFile);
        checking->add_option("LEAF", typed.leaf, "the entry's bytes")->required()->check(CLI::ExistingFile);
        takes_trust(checking);
    }

    void add_reading() {
        auto* replaying =
            command("replay", "Tell what happened, one line an entry. Verify first.", auditor::run_replay);
        takes_export(replaying);
        replaying->add_option("--from", typed.from,
                              "from this time on: 2026-03-02 or 2026-03-02T21:40:12, UTC");
        replaying->add_option("--to", typed.to, "before this time");
        replaying->add_option("--agency", typed.agency,
                              "only what this agency did or was owed, such as school/122802");
        replaying->add_option("--subject", typed.subject,
                              "only what is about this reference, 32 digits as --json shows");
        replaying->add_option("--incident", typed.incident,
                              "only this incident and what followed: its entry, or with --key 31/REFERENCE");
        takes_key(replaying);
        takes_reason(replaying);
        replaying->add_flag("--json", typed.json, "one JSON object a line");

        auto* completing =
            command("complete",
                    "List the notices owed that nobody has closed, or that were closed twice. Verify "
                    "first. Exit code 1 if there are any.",
                    auditor::run_complete);
        takes_export(completing);
        takes_reason(completing);
        takes_json(completing);
    }

    void add_decisions() {
        auto* deciding =
            command("decisions",
                    "Make every decision again from what was known then, and list what comes out "
                    "otherwise. Exit code 1 if anything does.",
                    auditor::run_decisions);
        takes_export(deciding);
        takes_key(deciding)->required();
        takes_reason(deciding);
        takes_json(deciding);

        auto* explaining =
            command("explain", "Say why these people were told about an incident, and others not.",
                    auditor::run_explain);
        takes_export(explaining);
        explaining->add_option("INCIDENT", typed.incident, "31/REFERENCE, or the number of its entry")
            ->required();
        takes_key(explaining)->required();
        takes_reason(explaining);
        takes_json(explaining);
    }

    void add_subject() {
        auto* subject =
            command("subject",
                    "Collect everything shared about one child, for an access request, as a draft in which "
                    "each item has to be marked keep, redact or withhold.",
                    auditor::run_subject);
        takes_export(subject);
        takes_key(subject)->required();
        takes_reason(subject);
        subject->add_option("--person", typed.people,
                            "key of a flag or pupil, such as flag/E10000024/1234; repeatable");
        auto* family = subject->add_option("--family-name", typed.family_name, "of the child; with --born");
        auto* born = subject->add_option("--born", typed.born, "date of birth, 2015-04-17");
        family->needs(born);
        subject->add_option("--out", typed.out, "the draft to write (JSON)")->required();

        auto* releasing = command("release", "Write what a draft, gone through and marked, releases.",
                                  auditor::run_release);
        releasing->add_option("DRAFT", typed.file, "the draft")->required()->check(CLI::ExistingFile);
        releasing->add_option("--out", typed.out, "the text to write")->required();
    }

    void add_desk() {
        auto* serving =
            command("serve",
                    "Serve the audit desk's pages over an export to browsers, until stopped; says where. "
                    "Verifies the export first. Needs no broker.\n"
                    "The config file's settings for it: docs/guides/audit.md.",
                    auditor::run_serve);
        takes_export(serving);
        takes_trust(serving);
        takes_config(serving);
        takes_key(serving);
        takes_reason(serving);
        serving->add_option("--listen", typed.listen,
                            "address:port, in place of the config file's; port 0: one that is free");
        serving->add_option(
            "--notices", typed.notices,
            "what an authority counted each month, as its page Reports gives it (CSV), for a chart "
            "of it; may be given again");

        auto* people = app.add_subcommand("people", "Who may sign in to the pages.");
        people->require_subcommand(1);
        auto* adding = people->add_subcommand(
            "add", "Add somebody, or give them a new password and second step. Both are said once.");
        adding->callback([this] { action = [this] { return auditor::run_add_person(typed, std::cout); }; });
        adding->add_option("NAME", typed.name, "name to sign in with, such as jo.wren")->required();
        adding->add_option("--called", typed.called, "name to be shown, such as \"Jo Wren\"")->required();
        adding->add_option("--by", typed.by,
                           "who adds them, for the log; default: the account that runs this");
        takes_config(adding);
        takes_json(adding);
    }

    Typed typed;
};

}  // namespace

int main(int argc, char** argv) {
    crypto::forbid_core_files();
    CommandLine line;
    try {
        line.app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return line.app.exit(error) == 0 ? 0 : 2;
    }
    spdlog::set_default_logger(spdlog::stderr_logger_mt("flagpost-audit"));
    try {
        return line.action();
    } catch (const auditor::WrongUsage& error) {
        std::cerr << "flagpost-audit: " << error.what() << "\n";
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "flagpost-audit: " << error.what() << "\n";
        return 1;
    }
}
