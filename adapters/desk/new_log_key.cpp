#include "adapters/desk/new_log_key.h"

#include <iostream>
#include <memory>

#include "adapters/client/new_log_key.h"

namespace flagpost::desk {

void add_new_log_key_command(Program& program, const std::vector<std::string>& own_settings) {
    const auto asked = std::make_shared<client::NewLogKey>();
    auto* command = program.command(
        &program.app(), "new-log-key", client::NewLogKey::description, [&program, own_settings, asked] {
            const auto config = client::load_config(program.config(), own_settings);
            return client::follow_new_log_key(config, *asked, std::cout);
        });
    asked->take(*command);
}

}  // namespace flagpost::desk
