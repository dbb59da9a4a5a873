/// flagpost-police: the force's end of Flagpost.
#include <iostream>

#include "adapters/desk/orders.h"
#include "adapters/desk/program.h"
#include "adapters/desk/proof.h"
#include "adapters/police/police.h"

using namespace flagpost;

int main(int argc, char** argv) {
    desk::Program program{"flagpost-police", "The police force's end of Flagpost: publishes incidents."};
    police::FeedOptions feed;

    auto* feeding = program.command(&program.app(), "feed",
                                    "Publish the incident files put into a folder, until stopped.\n"
                                    "Files are .csv or .ndjson, one incident a row, moved into the folder "
                                    "whole; names that start with a dot or end\n"
                                    "in .part or .tmp are left alone. Each file is published once, also "
                                    "after a crash, and then lies in archive/;\n"
                                    "rows that cannot be used are in rejects/, with line and reason.\n"
                                    "Columns: reference, version, status, occurred, recorded, category, "
                                    "qualifiers, domestic_abuse, uprn, line_1,\n"
                                    "line_2, town, postcode, people (JSON), unidentified_children, "
                                    "circumstances, assessment, risk_tool,\n"
                                    "risk_version, risk_grade, referral, referral_reference, police_contact.",
                                    [&] {
                                        feed.config = program.config();
                                        feed.json = program.json();
                                        return police::feed(feed, std::cout);
                                    });
    feeding->add_option("--spool", feed.spool, "the folder")->required()->check(CLI::ExistingDirectory);
    feeding->add_flag("--once", feed.once,
                      "end when the folder is empty and each message is confirmed or refused");

    program.command(&program.app(), "run", "Send what waits in the outbox, until stopped.",
                    [&] { return police::run(program.config()); });
    std::string reference;
    auto* status = program.command(&program.app(), "status",
                                   "Say how many messages were confirmed or refused, why, and what waits; or "
                                   "what became of one incident.",
                                   [&] {
                                       if (!reference.empty())
                                           return police::status_of_incident(program.config(), reference,
                                                                             program.json(), std::cout);
                                       return police::status(program.config(), program.json(), std::cout);
                                   });
    status->add_option("reference", reference, "the force's own reference of an incident");
    program.command(
        &program.app(), "reports",
        "Say which notices were late, escalated, could not be stored, or were settled after that.",
        [&] { return police::reports(program.config(), program.json(), std::cout); });
    desk::add_order_commands(program, {"police"});
    desk::add_proof_command(program, {"police"});
    return program.run(argc, argv);
}
