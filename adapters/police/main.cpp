/// flagpost-police: the force's end of Flagpost.
#include <iostream>

#include "adapters/client/usage.h"
#include "adapters/desk/inbox.h"
#include "adapters/desk/new_log_key.h"
#include "adapters/desk/orders.h"
#include "adapters/desk/program.h"
#include "adapters/desk/proof.h"
#include "adapters/desk/questions.h"
#include "adapters/desk/reconcile.h"
#include "adapters/police/handovers.h"
#include "adapters/police/police.h"
#include "adapters/police/questions.h"

using namespace flagpost;

namespace {

constexpr auto feed_text =
    "Publish incidents, until stopped: files put into a folder (--spool), calls of POST /incidents "
    "(--listen), or both.\n"
    "Files are .csv, .ndjson, or .xml with a mapping; moved into the folder, or written there and closed. "
    "Each is\n"
    "published once, also after a crash, and then lies in archive/; what cannot be used is in rejects/, with "
    "line and\n"
    "reason, and as a file to be corrected and moved into the folder again.\n"
    "Without a mapping the columns are: reference, version, status, occurred, recorded, category, "
    "qualifiers,\n"
    "domestic_abuse, uprn, line_1, line_2, town, postcode, people (JSON), unidentified_children, "
    "circumstances,\n"
    "assessment, risk_tool, risk_version, risk_grade, referral, referral_reference, police_contact.\n"
    "docs/guides/connect-a-force.md leads through all of it.";

void add_mapping_check(desk::Program& program, std::filesystem::path& file, std::filesystem::path& sample,
                       std::size_t& rows) {
    auto* group = program.group("mapping", "Mapping files: a force's own columns and codes as ours.");
    auto* check = program.command(
        group, "check",
        "Say what a mapping makes of a sample: its first records beside ours, what would be rejected and "
        "why, and what "
        "is not mapped. Sends nothing and needs no --config.",
        [&] { return police::check_mapping(file, sample, rows, program.json(), std::cout); },
        desk::Program::Needs::nothing);
    check->add_option("FILE", file, "the mapping (TOML)")->required()->check(CLI::ExistingFile);
    check->add_option("SAMPLE", sample, "a file of the force's system")->required()->check(CLI::ExistingFile);
    check->add_option("--rows", rows, "how many records to show (default 3)");
}

void add_handovers(desk::Program& program, std::vector<std::string>& references, std::string& by,
                   bool& opened_too) {
    auto* group =
        program.group("handovers",
                      "Children of this force's area in incidents that another force attended: it is this "
                      "force's duty to have their schools told.");
    auto* listing = program.command(
        group, "list", "Those nobody has opened yet, the soonest due first.",
        [&] { return police::list_handovers(program.config(), opened_too, by, program.json(), std::cout); });
    listing->add_flag("--all", opened_too, "those opened too");
    listing->add_option("--by", by, desk::who_looks);
    auto* showing = program.command(group, "show", "One of them, in plain words.", [&] {
        return police::show_handover(program.config(), references.front(), by, program.json(), std::cout);
    });
    showing->add_option("REF", references, "reference, such as FP-7K3M-29QD")->required()->expected(1);
    showing->add_option("--by", by, desk::who_looks);
    auto* opening =
        program.command(group, "acknowledge", "Say that a named person has read it and takes it on.", [&] {
            return police::acknowledge_handovers(program.config(), references, by, program.json(), std::cout);
        });
    opening->add_option("REF", references, "references")->required();
    opening->add_option("--by", by, "who has read it")->required();
}

void add_questions(desk::Program& program, police::Answering& answer, bool& answered_too) {
    auto* group =
        program.group("questions", "What social care asks about incidents. Each is owed an answer.");
    auto* listing =
        program.command(group, "list", "The questions not answered yet, the soonest due first.", [&] {
            return police::list_questions(program.config(), answered_too, answer.by, program.json(),
                                          std::cout);
        });
    listing->add_flag("--all", answered_too, "those answered too");
    listing->add_option("--by", answer.by, desk::who_looks);
    auto* showing = program.command(group, "show", "One question, in plain words.", [&] {
        return police::show_question(program.config(), answer.reference, answer.by, program.json(),
                                     std::cout);
    });
    showing->add_option("REF", answer.reference, "reference, such as QU-7K3M-29QD")->required();
    showing->add_option("--by", answer.by, desk::who_looks);
    auto* answering = program.command(
        group, "answer",
        "Answer as a named person. It goes to whoever asked and to nobody else, and closes the question.",
        [&] { return police::answer_question(program.config(), answer, program.json(), std::cout); });
    answering->add_option("REF", answer.reference, "reference")->required();
    answering->add_option("--by", answer.by, "who answers")->required();
    answering->add_option("--outcome", answer.outcome, desk::listed(desk::answer_codes))
        ->required()
        ->check(client::one_of(desk::codes_of(desk::answer_codes)));
    answering->add_option("--text", answer.text, "the answer, in at most 2,000 characters")->required();
}

}  // namespace

int main(int argc, char** argv) {
    desk::Program program{"flagpost-police", "The police force's end of Flagpost: publishes incidents."};

    police::FeedOptions feed;
    auto* feeding = program.command(&program.app(), "feed", feed_text, [&] {
        feed.config = program.config();
        feed.json = program.json();
        return police::feed(feed, std::cout);
    });
    feeding->add_option("--spool", feed.spool, "the folder")->check(CLI::ExistingDirectory);
    feeding->add_option("--mapping", feed.mapping, "mapping of its files (TOML)")->check(CLI::ExistingFile);
    feeding->add_option("--listen", feed.listen, "ADDRESS:PORT for POST /incidents");
    feeding->add_flag("--once", feed.once,
                      "end when the folder is empty and each message is confirmed or refused");

    police::ImportOptions backlog;
    auto* importing =
        program.command(&program.app(), "import",
                        "Publish a file of the past, with progress and time left. Interrupted, the same "
                        "command goes on where it was; what was published before is not sent again.",
                        [&] {
                            backlog.config = program.config();
                            backlog.json = program.json();
                            return police::import_backlog(backlog, std::cout);
                        });
    importing->add_option("FILE", backlog.file, ".csv, .ndjson or .xml")
        ->required()
        ->check(CLI::ExistingFile);
    importing->add_option("--mapping", backlog.mapping, "mapping of the file (TOML)")
        ->check(CLI::ExistingFile);

    std::filesystem::path mapping, sample;
    std::size_t rows = 3;
    add_mapping_check(program, mapping, sample, rows);

    program.command(&program.app(), "run", "Send what waits in the outbox, until stopped.",
                    [&] { return police::run(program.config()); });
    std::string reference;
    police::StatusOptions wanted;
    auto* status = program.command(&program.app(), "status",
                                   "Say how many messages were confirmed or refused, why, and what waits; or "
                                   "what became of one incident.",
                                   [&] {
                                       if (!reference.empty())
                                           return police::status_of_incident(program.config(), reference,
                                                                             program.json(), std::cout);
                                       wanted.config = program.config();
                                       wanted.json = program.json();
                                       return police::status(wanted, std::cout);
                                   });
    status->add_option("reference", reference, "the force's own reference of an incident");
    status->add_option(
        "--matched", wanted.matched_hours,
        "ask the broker of how many incidents of the last so many hours anybody had to be told");
    program.command(
        &program.app(), "reports",
        "Say which notices were late, escalated, could not be stored, or were settled after that.",
        [&] { return police::reports(program.config(), program.json(), std::cout); });
    program.command(
        &program.app(), "markers",
        "Write which addresses to mark for the gazetteer, from what has been received (feed and run "
        "do so by themselves),\nand say how old each authority's list is.",
        [&] { return police::markers(program.config(), program.json(), std::cout); });
    police::Answering answer;
    bool answered_too = false;
    add_questions(program, answer, answered_too);
    std::vector<std::string> handovers;
    std::string taken_by;
    bool opened_too = false;
    add_handovers(program, handovers, taken_by, opened_too);
    desk::add_order_commands(program, {"police"}, police::own_settings());
    desk::add_proof_command(program, {"police"}, police::own_settings());
    desk::add_new_log_key_command(program, police::own_settings());
    desk::add_reconcile_command(program, {"police"}, police::own_settings());
    return program.run(argc, argv);
}
