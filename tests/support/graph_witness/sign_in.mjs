// Signs in with each of plan.sides by @azure/msal-node: {name: "ok" or the error's text}.
import { answer, plan, token } from "./libraries.mjs";

const outcome = {};
for (const [name, side] of Object.entries(plan.sides)) {
    try {
        outcome[name] = (await token(side)).length > 100 ? "ok" : "no token";
    } catch (error) {
        outcome[name] = `${error.errorCode}: ${error.errorMessage}`;
    }
}
answer(outcome);
