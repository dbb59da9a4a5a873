/// flagpost-social-care: the end of a children's social care department.
#include <iostream>

#include "adapters/client/usage.h"
#include "adapters/desk/new_log_key.h"
#include "adapters/desk/orders.h"
#include "adapters/desk/program.h"
#include "adapters/desk/proof.h"
#include "adapters/desk/questions.h"
#include "adapters/desk/recall.h"
#include "adapters/desk/reconcile.h"
#include "adapters/social_care/notice_text.h"
#include "adapters/social_care/pages.h"
#include "adapters/social_care/serve.h"
#include "adapters/social_care/social_care.h"

using namespace flagpost;

namespace {

const std::map<std::string, schemas::Verdict> verdicts{
    {"permit", schemas::Verdict::permit},
    {"deny",   schemas::Verdict::deny  },
    {"unsure", schemas::Verdict::unsure}
};

const std::map<std::string, schemas::LoadMode> modes{
    {"full",  schemas::LoadMode::full },
    {"delta", schemas::LoadMode::delta}
};

const std::map<std::string, social_care::FlagFormat> formats{
    {"csv",        social_care::FlagFormat::csv       },
    {"csc-api",    social_care::FlagFormat::csc_api   },
    {"cin-census", social_care::FlagFormat::cin_census}
};

}  // namespace

int main(int argc, char** argv) {
    desk::Program program{"flagpost-social-care",
                          "Children's social care's end of Flagpost: hands over flags, receives notices."};
    social_care::FlagsToLoad load;
    std::string by, outcome, reference;
    std::vector<std::string> references;
    social_care::NewPerson person;
    social_care::ToList listed;
    const auto call = [&] { return social_care::Call{program.config(), program.json()}; };

    auto* flags = program.group("flags", "The list of children with a flag.");
    auto* loading = program.command(
        flags, "load",
        "Hand over a list of flags and wait for the result: a CSV extract, one row per child, the JSON that "
        "goes to\nthe DfE's CSC API, or a CIN census.\n"
        "Columns of the CSV: LAchildID, GivenNames, FamilyName, AlsoKnownAs, PersonBirthDate, "
        "ExpectedPersonBirthDate, Sex, UPN,\n"
        "NHSNumber, FlagKind, LatestCategoryOfAbuse, CPPstartDate, CPPendDate, DeleteDate, "
        "Addresses (JSON),\n"
        "LinkedAdults (JSON), AllocatedWorker, WorkerContact, AllocatedTeam, DutyContact, "
        "OutOfHoursContact, Shield (none, refuge, adoption, protected_person).\n"
        "Rows that cannot be used are written to FILE.rejects.csv with line and reason. Ends "
        "with 0 if anything was\n"
        "loaded.",
        [&] {
            load.load.json = program.json();
            return social_care::load_flags(call(), load, std::cout);
        });
    loading->add_option("FILE", load.load.file, "the extract")->required()->check(CLI::ExistingFile);
    loading
        ->add_option("--mode", load.load.mode,
                     "full: replaces the list; delta: adds to it and changes it (default full)")
        ->transform(CLI::CheckedTransformer(modes))
        ->option_text("full|delta");  // what CLI11 would make of the values is their bytes
    loading->add_option("--sequence", load.load.sequence,
                        "number of this load (default: one more than the last)");
    loading->add_option("--la", load.la, "authority the flags are of, where it is not the certificate's own");

    loading->add_option("--format", load.format, "csv, csc-api or cin-census (default: by the content)")
        ->transform(CLI::CheckedTransformer(formats))
        ->option_text("csv|csc-api|cin-census");
    loading
        ->add_option(
            "--details", load.details,
            "CSV with what a CSC API file or a census does not say, by LAchildID: GivenNames, FamilyName, "
            "UPRN, Line1, Town, Postcode,\nAllocatedWorker and others of the list's columns; a row for each "
            "address")
        ->check(CLI::ExistingFile);
    loading->add_option("--count", load.count,
                        "records the file should have; with another number nothing is loaded");
    loading->footer(
        "A list that would end many flags is not sent: it waits for two people on the page Flags we send.");

    program.command(&program.app(), "run", "Receive notices and send what waits, until stopped.",
                    [&] { return social_care::run(call()); });

    program.command(
        &program.app(), "serve",
        "Receive notices, send what waits, and serve the inbox's pages to browsers, until stopped. Says "
        "where.\nThe config file's settings for it: docs/guides/connect-a-local-authority.md.",
        [&] { return social_care::serve(call(), std::cout); });

    auto* people = program.group("people", "Who may sign in to the pages.");
    auto* adding = program.command(
        people, "add", "Add somebody, or give them a new password and second step. Both are said once.",
        [&] { return social_care::add_person(call(), person, std::cout); });
    adding->add_option("NAME", person.name, "name to sign in with, such as sam.patel")->required();
    adding->add_option("--called", person.called, "name as your case system has it, such as \"Sam Patel\"")
        ->required();
    adding->add_option("--role", person.role, "worker, duty, manager, reviewer, feeder or admin")
        ->required()
        ->check(client::one_of({social_care::roles().begin(), social_care::roles().end()}));
    adding->add_option("--by", person.by, "who adds them, for the log; default: the account that runs this");
    adding->add_option("--team", person.teams, "team as your flag list names it; may be given again");

    auto* inbox = program.group("inbox", "Notices about children with a flag.");
    auto* listing = program.command(inbox, "list", "The notices not recorded yet, the most urgent first.",
                                    [&] { return social_care::list_inbox(call(), listed, std::cout); });
    listing->add_flag("--all", listed.closed_too, "those recorded too");
    listing->add_option("--by", listed.by, desk::who_looks);
    auto* showing = program.command(inbox, "show", "One notice, or one match to review, in plain words.",
                                    [&] { return social_care::show(call(), reference, by, std::cout); });
    showing->add_option("REF", reference, "reference, such as FP-7K3M-29QD")->required();
    showing->add_option("--by", by, desk::who_looks);
    auto* opening = program.command(
        inbox, "acknowledge", "Say that a named person has seen notices. It does not close them.",
        [&] { return social_care::acknowledge(call(), references, by, std::cout); });
    opening->add_option("REF", references, "references")->required();
    opening->add_option("--by", by, "who has seen them")->required();
    auto* recording =
        program.command(inbox, "record", "Say what a named person did about notices. Closes them.",
                        [&] { return social_care::record(call(), references, by, outcome, std::cout); });
    recording->add_option("REF", references, "references")->required();
    recording->add_option("--by", by, "who did it")->required();
    recording
        ->add_option("--outcome", outcome,
                     "what was done:" + desk::listed(social_care::outcome_codes) +
                         "\nof a recall:" + desk::listed(desk::recall_codes))
        ->required()
        ->check(
            client::one_of(desk::codes_of(social_care::outcome_codes), desk::codes_of(desk::recall_codes)));

    client::Box::Asking asking;
    auto* questioning =
        program.command(inbox, "ask",
                        "Ask the force about a notice, as a named person. The answer comes back under the "
                        "notice (inbox show) "
                        "and is\nread with: inbox acknowledge QU-...",
                        [&] { return social_care::ask(call(), reference, asking, std::cout); });
    questioning->add_option("REF", reference, "reference of the notice, such as FP-7K3M-29QD")->required();
    questioning->add_option("--by", asking.by, "who asks")->required();
    questioning->add_option("--about", asking.about, "what is asked:" + desk::listed(desk::question_codes))
        ->required()
        ->check(client::one_of(desk::codes_of(desk::question_codes)));
    questioning->add_option("--text", asking.text, "the question, in at most 2,000 characters")->required();

    auto* reviews = program.group("reviews", "Matches a person must look at before anything is sent.");
    auto* review_list =
        program.command(reviews, "list", "The matches not decided yet, the most urgent first.",
                        [&] { return social_care::list_reviews(call(), listed, std::cout); });
    review_list->add_flag("--all", listed.closed_too, "those decided too");
    review_list->add_option("--by", listed.by, desk::who_looks);
    desk::ReviewMark decision{};
    auto* deciding =
        program.command(reviews, "decide",
                        "Say whether what is held may be sent. permit sends it at once and cannot be unsent; "
                        "deny closes it; unsure leaves it\n"
                        "open and asks police. A shielded child needs two people.",
                        [&] { return social_care::decide(call(), references, decision, std::cout); });
    deciding->add_option("REF", references, "references, such as RV-3C8K-11PD")->required();
    deciding->add_option("--verdict", decision.verdict, "permit, deny or unsure")
        ->required()
        ->transform(CLI::CheckedTransformer(verdicts))
        ->option_text("permit|deny|unsure REQUIRED");
    deciding->add_option("--reason", decision.reason, desk::listed(social_care::review_codes))
        ->required()
        ->check(client::one_of(desk::codes_of(social_care::review_codes)));
    deciding->add_option("--by", decision.by, "who decided")->required();
    desk::add_order_commands(program, {"social-care"}, social_care::page_settings());
    desk::add_proof_command(program, {"social-care"}, social_care::page_settings());
    desk::add_new_log_key_command(program, social_care::page_settings());
    desk::add_reconcile_command(program, {"social-care"}, social_care::page_settings());
    return program.run(argc, argv);
}
