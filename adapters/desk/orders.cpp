#include "adapters/desk/orders.h"

#include <iostream>
#include <memory>

#include "adapters/client/order.h"

namespace flagpost::desk {
namespace {

using schemas::OrderDoes;

struct OrderCommand {
    const char* name;
    OrderDoes does;
    const char* description;
};
constexpr OrderCommand commands[] = {
    {"hold",         OrderDoes::hold,
     "Keep this agency's records about a subject (\"flag/E10000024/1234\", \"incident/31/OCC-1\") at the "
     "broker beyond\n"
     "their time, also from erasure, until the hold is lifted."                                               },
    {"lift-hold",    OrderDoes::lift,     "End a hold that this agency set: same subject, same reference."    },
    {"erase",        OrderDoes::erase,
     "Have the broker destroy this agency's own records about a subject, or one record by the number of its "
     "leaf.\n"
     "Refused while something still rests on them: a flag that stands, a notice nobody has answered, a "
     "hold."                                                                                                  },
    {"conflict",     OrderDoes::conflict,
     "Put a person on the conflict list of a case of this agency's: they are not asked, may not decide or "
     "answer, and\nwhat would have gone to them waits for another person, until the conflict is ended."       },
    {"end-conflict", OrderDoes::lift,     "Take that person off the list again: same subject, same reference."},
};

}  // namespace

void add_order_commands(Program& program, const std::vector<std::string>& kinds,
                        const std::vector<std::string>& own_settings) {
    for (const auto& command : commands) {
        const auto order = std::make_shared<schemas::RecordOrderValue>();
        order->does = command.does;
        auto* added = program.command(
            &program.app(), command.name, command.description, [&program, kinds, own_settings, order] {
                Desk desk{program.config(), kinds, own_settings};
                SystemClock clock;
                const auto leaf =
                    client::place_order(desk.config(), desk.box(), clock, desk.random(), *order);
                std::cout << "Recorded as leaf " << leaf << ".\n";
                return 0;
            });
        auto* subject = added->add_option("subject", order->subject, "whom or what the records are about");
        if (command.does == OrderDoes::erase)
            subject->excludes(added->add_option("--record", order->record, "one record, by its leaf"));
        else
            subject->required();
        if (command.does == OrderDoes::conflict) {
            added
                ->add_option("--person", order->person,
                             "who may neither see nor decide, such as \"Sam Patel\"")
                ->required();
            added
                ->add_option("--works-for", order->works_for,
                             "that person's agency, such as school/900001: it alone is told the name")
                ->required();
        }
        added->add_option("--controller", order->controller,
                          "whose records, where this agency acts for another");
        added->add_option("--by", order->by, "the named person who decides this")->required();
        added->add_option("--reason", order->reason, "why, as a code such as court_order or mistaken_record")
            ->required();
        added
            ->add_option("--reference", order->reference,
                         "of the order: the number of a case or a code, no words; the log shows it")
            ->required();
    }
}

}  // namespace flagpost::desk
