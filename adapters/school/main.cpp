/// flagpost-school: the end of a school, a trust or an education safeguarding team.
#include <iostream>

#include "adapters/client/usage.h"
#include "adapters/desk/inbox.h"
#include "adapters/desk/new_log_key.h"
#include "adapters/desk/orders.h"
#include "adapters/desk/program.h"
#include "adapters/desk/proof.h"
#include "adapters/desk/recall.h"
#include "adapters/desk/reconcile.h"
#include "adapters/school/notice_text.h"
#include "adapters/school/pages.h"
#include "adapters/school/school.h"
#include "adapters/school/serve.h"

using namespace flagpost;

namespace {

const std::map<std::string, schemas::LoadMode> modes{
    {"full",  schemas::LoadMode::full },
    {"delta", schemas::LoadMode::delta}
};

}  // namespace

int main(int argc, char** argv) {
    desk::Program program{"flagpost-school",
                          "A school's end of Flagpost: hands over its roll, receives notices."};
    desk::LoadOptions load;
    school::RollOf roll;
    std::string urn, by, outcome, reference;
    std::vector<std::string> references;
    school::NewPerson person;
    bool all = false;
    const auto call = [&] { return school::Call{program.config(), program.json()}; };

    auto* rolls = program.group("rolls", "The pupils on roll.");
    auto* loading = program.command(
        rolls, "load",
        "Hand over a roll (CSV, one row per registration, or CTF XML) and wait for the result.\n"
        "A school hands over its own; an education team or a trust that of an authority's schools.\n"
        "Columns: URN, UPN, Surname, Forename, DOB, Sex, EnrolStatus, AddressLine1, AddressLine2, Town, "
        "Postcode, UPRN,\n"
        "Contacts (JSON), Shield, LeftOn. With --not-in-school the same without URN and EnrolStatus.\n"
        "Rows that cannot be used are written to FILE.rejects.csv with line and reason. Ends with 0 if "
        "anything was\n"
        "loaded.",
        [&] {
            load.json = program.json();
            return school::load_roll(call(), roll, load, std::cout);
        });
    loading->add_option("FILE", load.file, "the roll")->required()->check(CLI::ExistingFile);
    loading
        ->add_option("--mode", load.mode,
                     "full: replaces the roll; delta: adds to it and changes it (default full)")
        ->transform(CLI::CheckedTransformer(modes))
        ->option_text("full|delta");  // what CLI11 would make of the values is their bytes
    loading->add_option("--sequence", load.sequence, "number of this load (default: one more than the last)");
    loading->add_option(
        "--count", roll.count,
        "how many rows the file must have; 0: nobody is on the list, and the file has a header only");
    loading->add_option("--la", roll.la, "authority whose roll this is (for a trust)");
    loading->add_flag("--not-in-school", roll.not_in_school,
                      "an authority's register of children not in school (for its education team)");
    loading->add_option("--urn", roll.urn,
                        "school whose pupils a CTF holds (for an education team or a trust)");

    auto* contacts = program.group("contacts", "Whom police and the authority may ask for at a school.");
    auto* contact_load = program.command(
        contacts, "load",
        "Hand over the whole list (CSV, one row per person, two at least) and wait for the result.\n"
        "Columns: Name, Role, Telephone, Email, VerifiedOn (when somebody last checked; at most 90 days "
        "ago).\n"
        "Nothing is sent while a row is wrong.",
        [&] {
            load.json = program.json();
            return school::load_contacts(call(), urn, load, std::cout);
        });
    contact_load->add_option("FILE", load.file, "the contacts")->required()->check(CLI::ExistingFile);
    contact_load->add_option("--urn", urn, "school whose they are (for a trust)");
    auto* contact_list = program.command(contacts, "list", "The list as it was handed over last.",
                                         [&] { return school::list_contacts(call(), urn, std::cout); });
    contact_list->add_option("--urn", urn, "school whose they are (for a trust)");

    auto* terms = program.group("terms", "When a school is open: by this each notice is to be read.");
    auto* term_load = program.command(
        terms, "load",
        "Hand over the school's own terms and closures (CSV, one row per stretch) and wait for the result.\n"
        "Columns: FirstDay, LastDay, Closed (yes for an INSET day or closure inside a term), DayStarts "
        "(08:40).\n"
        "Nothing is sent while a row is wrong.",
        [&] {
            load.json = program.json();
            return school::load_terms(call(), urn, load, std::cout);
        });
    term_load->add_option("FILE", load.file, "the terms")->required()->check(CLI::ExistingFile);
    term_load->add_option("--urn", urn, "school whose they are (for a trust)");

    program.command(&program.app(), "run", "Receive notices and send what waits, until stopped.",
                    [&] { return school::run(call()); });

    program.command(
        &program.app(), "serve",
        "Receive notices, send what waits, and serve the inbox's pages to browsers, until stopped. Says "
        "where.\nThe config file's settings for it: docs/guides/connect-a-school.md.",
        [&] { return school::serve(call(), std::cout); });

    program.command(&program.app(), "status",
                    "What is unread and late, what waits to be sent, and whether people could be told.",
                    [&] { return school::status(call(), std::cout); });

    auto* people = program.group("people", "Who may sign in to the pages.");
    auto* adding = program.command(
        people, "add", "Add somebody, or give them a new password and second step. Both are said once.",
        [&] { return school::add_person(call(), person, std::cout); });
    adding->add_option("NAME", person.name, "name to sign in with, such as jo.wren")->required();
    adding->add_option("--called", person.called, "full name, as the contacts have it: \"Jo Wren\"")
        ->required();
    adding->add_option("--role", person.role, "dsl, deputy, lead (of a trust or an education team) or admin")
        ->required()
        ->check(client::one_of({school::roles().begin(), school::roles().end()}));
    adding->add_option("--by", person.by, "who adds them, for the log; default: the account that runs this");
    adding->add_option(
        "--school", person.schools,
        "URN of a school whose notices they see; may be given again. A school's own needs none");

    auto* inbox = program.group("inbox", "Notices about children on roll.");
    auto* listing = program.command(inbox, "list", "The notices that need something, the most urgent first.",
                                    [&] { return school::list_inbox(call(), all, by, std::cout); });
    listing->add_flag("--all", all, "those closed too");
    listing->add_option("--by", by, desk::who_looks);
    auto* showing = program.command(inbox, "show", "One notice in plain words.",
                                    [&] { return school::show(call(), reference, by, std::cout); });
    showing->add_option("REF", reference, "reference, such as FP-7K3M-29QD")->required();
    showing->add_option("--by", by, desk::who_looks);
    auto* opening = program.command(inbox, "acknowledge", "Say that a named person has read notices.", [&] {
        return school::acknowledge(call(), references, by, outcome, std::cout);
    });
    opening->add_option("REF", references, "references")->required();
    opening->add_option("--by", by, "who has read them")->required();
    opening->add_option("--outcome", outcome, "as of record")
        ->check(client::one_of(desk::codes_of(school::outcome_codes), desk::codes_of(desk::recall_codes)));
    auto* recording =
        program.command(inbox, "record", "Say what the school will do, and by whom. Closes the notices.",
                        [&] { return school::acknowledge(call(), references, by, outcome, std::cout); });
    recording->add_option("REF", references, "references")->required();
    recording->add_option("--by", by, "who has read them and says so")->required();
    recording
        ->add_option("--outcome", outcome,
                     "what the school will do:" + desk::listed(school::outcome_codes) +
                         "\nof a recall:" + desk::listed(desk::recall_codes))
        ->required()
        ->check(client::one_of(desk::codes_of(school::outcome_codes), desk::codes_of(desk::recall_codes)));
    desk::add_order_commands(program, school::agency_kinds(), school::own_settings());
    desk::add_proof_command(program, school::agency_kinds(), school::own_settings());
    desk::add_new_log_key_command(program, school::own_settings());
    desk::add_reconcile_command(program, school::agency_kinds(), school::own_settings());
    return program.run(argc, argv);
}
