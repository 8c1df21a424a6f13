// Made by npm run types from docs/openapi.json; changes here are lost.

export interface paths {
    "/api/v1/agent-marks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** answers how each agent stands: objective, behaviour, data, identity and cost, with the reasons */
        get: operations["ListAgentMarks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists registered agents by name */
        get: operations["ListAgents"];
        put?: never;
        /** registers an agent as draft or pilot */
        post: operations["CreateAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/adopt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** registers unknown agents together, in observe */
        post: operations["AdoptAgents"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a registered agent */
        get: operations["GetAgent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** changes an agent */
        patch: operations["UpdateAgent"];
        trace?: never;
    };
    "/api/v1/agents/{name}/behaviour": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads what was measured of an agent: series, tools, paths, hours, what is normal */
        get: operations["AgentBehaviour"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/break-glass": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** sets an agent to observe for at most an hour, in an emergency; everybody is told */
        post: operations["BreakGlass"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/claims": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the names under which an agent's telemetry came, each with the rule that matched it */
        get: operations["ListAgentClaims"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/contain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** narrows what an agent may do, until a time or until it is released */
        post: operations["ContainAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/credentials/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** ends one credential of an agent: a token by its jti, with what was exchanged from it, or a certificate by its serial */
        post: operations["RevokeCredential"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/enforce": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** enforces an agent once a simulation showed what that refuses; without one, answers with it */
        post: operations["EnforceAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/gate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what an agent has to show before production, computed now */
        get: operations["GetGate"];
        put?: never;
        /** promotes an agent if all of the list passes; what it came to is kept, and a refusal names the run */
        post: operations["PassGate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/gate/cases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** shows what became of the cases of an agent's gate since security approved them */
        get: operations["ListGateChanges"];
        put?: never;
        /** approves the cases of an agent's gate as they are in the version that was looked at */
        post: operations["ApproveGate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/gate/dataset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** names the data set on whose cases an agent has to pass; another one, or fewer cases, is security's */
        put: operations["PutGateSet"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/inventory": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what an agent was observed to use; format=cyclonedx gives a bill of materials */
        get: operations["AgentInventory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/inventory/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** says that a part of an agent is known, or no longer */
        post: operations["ApproveAgentPart"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/inventory/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** compares what an agent used in the days up to two dates */
        get: operations["AgentInventoryChanges"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/invoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** says how an agent is invoked for tests; not found: it cannot be tested */
        get: operations["GetInvokeTarget"];
        /** says how an agent is invoked for tests, by A2A or a request of a template */
        put: operations["PutInvokeTarget"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/invoke/try": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** puts one question to an agent as a test, by what is kept or by what is given, and says whether it can be tested */
        post: operations["TryInvoke"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/join-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the join tokens of an agent, never their texts */
        get: operations["ListJoinTokens"];
        put?: never;
        /** makes a token by which one instance of an agent enrols; it is shown once */
        post: operations["CreateJoinToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/join-tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** ends an unused join token */
        delete: operations["RevokeJoinToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/jwks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the public keys with which an agent signs client assertions */
        get: operations["ListAgentJWKs"];
        put?: never;
        /** registers public keys of an agent, as a JWK or a JWK set */
        post: operations["AddAgentJWKs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/jwks/{kid}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** takes a public key of an agent away */
        delete: operations["RemoveAgentJWK"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the keys of an agent, the newest first */
        get: operations["ListAgentKeys"];
        put?: never;
        /** makes a key of an agent; its text is shown once */
        post: operations["CreateAgentKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** ends a key of an agent */
        delete: operations["RevokeAgentKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/log-kinds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the kinds of an agent's log lines, with values masked */
        get: operations["ListLogKinds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/merge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** says that an agent is another registered one, which takes its names and telemetry; its credentials die */
        post: operations["MergeAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/oauth": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** tells what an agent may ask of the token endpoint */
        get: operations["GetAgentOAuth"];
        /** says what an agent may ask of the token endpoint */
        put: operations["PutAgentOAuth"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/pin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** holds an agent to one model in place of another, or to one version */
        post: operations["PinAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/promote": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** takes an agent a step along its lifecycle, or back; into production needs security and the gate */
        post: operations["PromoteAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** ends a containment; it revives no credential; from quarantine a second person confirms it */
        post: operations["ReleaseAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/retire": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** ends an agent for good, and its keys with it; its name is never used again */
        post: operations["RetireAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/revisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what people set of an agent, with author and reason, the newest first */
        get: operations["ListAgentRevisions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** answers whether an agent may go on, with what its page shows first */
        get: operations["AgentSummary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/svids": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** makes a certificate of a new instance of an agent for a certificate request */
        post: operations["CreateAgentSVID"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/timeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what happened to an agent: changes, versions, keys, waivers, the newest first */
        get: operations["AgentTimeline"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/unmerge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** takes a merge back; the agent needs new credentials */
        post: operations["UnmergeAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/unpin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** takes a pin of an agent out */
        post: operations["UnpinAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what an agent was observed to be made of, the newest first */
        get: operations["ListAgentVersions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/versions/{hash}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** says that a version is what the agent should be */
        post: operations["ApproveAgentVersion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/waivers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** lets an agent break a rule of the standard until a date */
        post: operations["WaiveStandard"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/waivers/{rule}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** ends a waiver */
        delete: operations["EndWaiver"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/workloads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists which processes of this host are an agent */
        get: operations["ListWorkloads"];
        put?: never;
        /** registers processes of this host as an agent */
        post: operations["CreateWorkload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{name}/workloads/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** ends a workload's registration */
        delete: operations["DeleteWorkload"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alert-sources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists who sends alerts and changes, with counts, never with secrets */
        get: operations["ListAlertSources"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alert-sources/try": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** tells what a delivery would become, by a kind and its mapping; nothing is kept */
        post: operations["TryAlertSource"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alert-sources/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a source of alerts or changes */
        get: operations["GetAlertSource"];
        /** registers a source of alerts or changes; a new one's secret is answered once */
        put: operations["PutAlertSource"];
        post?: never;
        /** removes a source and its secrets; what it sent stays */
        delete: operations["DeleteAlertSource"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alert-sources/{name}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** gives a source a new secret; the old one is taken for a while */
        post: operations["RotateAlertSource"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists alerts, firing ones first, then the last changed */
        get: operations["ListAlerts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads an alert with its history and, for readers, its sender's own words */
        get: operations["GetAlert"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/{id}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** resolves an alert by hand; a new episode opens it again */
        post: operations["CloseAlert"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/annotation-queue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what oneself should label: unsure first, then failed, then a tenth of what passed */
        get: operations["AnnotationQueue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists held actions, the newest first; those that wait unless state says otherwise */
        get: operations["ListApprovals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals/indicators": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** tells how held actions were answered: how soon, by whom, and how many without being looked at */
        get: operations["ApprovalIndicators"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a held action: what will happen, with which arguments, who agreed, how the like was answered */
        get: operations["GetApproval"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals/{id}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** agrees to a held action with exactly the arguments of the hash */
        post: operations["Approve"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals/{id}/deny": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** denies a held action, and the same again for a day */
        post: operations["DenyApproval"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals/{id}/edit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** agrees to a held action with other arguments, which are decided on again */
        post: operations["EditApproval"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals/{id}/give-back": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** lets a run that was taken over go on */
        post: operations["GiveBack"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals/{id}/opened": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** notes that one looked at a held action */
        post: operations["OpenApproval"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals/{id}/takeover": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** does a held action instead of the agent, or gives its result; further calls of the run are held */
        post: operations["TakeOver"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the audit log, the newest first */
        get: operations["ListAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/checkpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the newest checkpoint of each log */
        get: operations["ListAuditCheckpoints"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the public keys that sign checkpoints of the audit log */
        get: operations["ListAuditKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/keys/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** makes a new key for checkpoints, vouched for by the old one */
        post: operations["RotateAuditKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** walks both logs and says whether they hold */
        get: operations["VerifyAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/backup-file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** makes a backup and sends it as one tar file */
        post: operations["DownloadBackup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/backups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists backups, the newest first, and when a restore was last tried */
        get: operations["ListBackups"];
        put?: never;
        /** makes a backup of everything into the folder of backups */
        post: operations["MakeBackup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/backups/{id}/try": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** restores a backup on trial and checks its records; nothing of it stays */
        post: operations["TryBackup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bias-plans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists bias plans: pairs that are replayed at times and for each version */
        get: operations["ListBiasPlans"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bias-plans/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** makes or changes a bias plan; it runs at once */
        put: operations["PutBiasPlan"];
        post?: never;
        /** ends a bias plan; its experiments stay */
        delete: operations["DeleteBiasPlan"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/budgets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists budgets with what is spent of them */
        get: operations["ListBudgets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/budgets/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a budget with the share of each that it counts for */
        get: operations["GetBudget"];
        /** makes or replaces a budget: a team's developers for its own agents, security for all */
        put: operations["PutBudget"];
        post?: never;
        /** removes a budget */
        delete: operations["DeleteBudget"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ca": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** tells what the certificate authority is, with its roots */
        get: operations["GetAuthority"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ca/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** makes a new root; compromised drops the old one and all that it signed at once */
        post: operations["RotateAuthority"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/canaries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the models that are asked fixed prompts, and what changed of their answers */
        get: operations["ListCanaries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/canaries/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a canary with its newest answers */
        get: operations["GetCanary"];
        /** makes or changes a canary: a model that is asked fixed prompts through the door */
        put: operations["PutCanary"];
        post?: never;
        /** drops a canary and its answers */
        delete: operations["DeleteCanary"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/canaries/{name}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** says that what answers now is the new normal */
        post: operations["AcceptCanary"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/canaries/{name}/ask": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** asks a canary's prompts now, before they are due */
        post: operations["AskCanary"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what was changed and may show in how agents behave, the newest first */
        get: operations["ListChanges"];
        put?: never;
        /** reports a change: a deployment, a prompt, a model, a flag; the same key updates it */
        post: operations["CreateChange"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/changes/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a change */
        get: operations["GetChange"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channel-kinds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the kinds of channels */
        get: operations["ListChannelKinds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the ways to tell people, never their secrets */
        get: operations["ListChannels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channels/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** makes or changes a channel; one that leads elsewhere needs its secret anew */
        put: operations["PutChannel"];
        post?: never;
        /** ends a channel */
        delete: operations["RemoveChannel"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channels/{name}/states": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what a channel's receiver told of what it was sent, and what became of it */
        get: operations["ListChannelStates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channels/{name}/try": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** sends a test message and tells what came of it */
        post: operations["TryChannel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat-links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** says that an account in a chat is one's own, by the token that the chat was given */
        post: operations["LinkChat"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/compliance-assessments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists assessments, the newest first */
        get: operations["ListComplianceAssessments"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/compliance-assessments/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads an assessment with its controls and their evidence */
        get: operations["GetComplianceAssessment"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/compliance-assessments/{id}/pack": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** gives the evidence of an assessment as a zip whose manifest the audit log's keys sign */
        get: operations["ExportCompliance"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/compliance-frameworks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists mappings of controls to evidence, with what they came to last */
        get: operations["ListComplianceFrameworks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/compliance-frameworks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a mapping */
        get: operations["GetComplianceFramework"];
        /** makes a mapping of one's own, or changes it */
        put: operations["PutComplianceFramework"];
        post?: never;
        /** removes a mapping of one's own; assessments stay */
        delete: operations["DeleteComplianceFramework"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/compliance-frameworks/{id}/assess": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** asks all questions of a framework over a period and keeps what they came to */
        post: operations["AssessCompliance"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/compliance-frameworks/{id}/schedule": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** has a framework assessed by itself every so many days; 0 ends it */
        put: operations["PutComplianceSchedule"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/connect": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists how agents join, by what they are built with, filled in for this server */
        get: operations["ListFrameworks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/connect/progress": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** tells whether an agent's first step and decision have arrived, and what its telemetry leaves out */
        get: operations["ConnectProgress"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/connect/{framework}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** makes the keys that an agent needs to join, and what to copy with them in it, which is shown once */
        post: operations["Connect"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/connections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the other systems that Reeve speaks to, and whether each works, those that fail first */
        get: operations["ListConnections"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/contacts/{person}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** tells how one is reached; me is oneself */
        get: operations["GetContacts"];
        /** says how one is reached */
        put: operations["PutContacts"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/content-classes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what can be found in content */
        get: operations["ContentClasses"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/content-rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the rules for secrets and personal data in content */
        get: operations["ListContentRules"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/content-rules/try": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** tells what the rules find in a text and what would become of it; nothing is kept */
        post: operations["TryContent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/content-rules/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a content rule */
        get: operations["GetContentRule"];
        /** makes or replaces a content rule; it is in force for the next call */
        put: operations["PutContentRule"];
        post?: never;
        /** removes a content rule */
        delete: operations["DeleteContentRule"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cost/dependency": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** says what hangs on each provider, model and region, and what an outage would reach */
        get: operations["Dependency"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cost/file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** writes a month as a chargeback file or as FOCUS 1.2 (CSV) */
        get: operations["CostFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cost/forecast": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** says what the month will come to, with interval, beside budgets and findings about cost */
        get: operations["ForecastCost"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cost/idle-agents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists agents that nobody used */
        get: operations["ListIdleAgents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cost/invoices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists invoices and usage exports of providers that were imported */
        get: operations["ListInvoices"];
        put?: never;
        /** reads a provider's invoice or usage export; the same file again is the same invoice */
        post: operations["ImportInvoice"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cost/invoices/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** holds an invoice against the model calls counted here, by day and model */
        get: operations["Reconcile"];
        put?: never;
        post?: never;
        /** forgets an imported invoice */
        delete: operations["DeleteInvoice"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cost/report": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** writes the report of a month, as Markdown and PDF */
        get: operations["CostReport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cost/report/send": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** mails a month's report now, with its PDF, to those whom the settings name */
        post: operations["SendCostReport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cost/rerates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists times whose calls were, or would be, priced again */
        get: operations["ListRerates"];
        put?: never;
        /** looks for what pricing the calls of a time again would change; nothing changes yet */
        post: operations["PlanRerate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cost/rerates/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a plan or what became of it, with its progress */
        get: operations["GetRerate"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cost/rerates/{id}/apply": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** gives the calls of a plan their new costs; those that their senders gave stay */
        post: operations["ApplyRerate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cost/rerates/{id}/undo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** gives the calls their old costs back */
        post: operations["UndoRerate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cost/savings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what could have been saved, with figure and the runs that prove it */
        get: operations["Savings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cost/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads currency, rates, zone, cost centres and what people's time costs */
        get: operations["GetCostSettings"];
        /** sets currency, rates, zone, cost centres and what people's time costs */
        put: operations["PutCostSettings"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cost/split": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** adds up what was spent by call, run, session, user, team, agent, version, task, outcome, model, provider, environment, cost centre, day or month */
        get: operations["SplitCost"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/coverage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists how much of what agents do was decided, the least covered first */
        get: operations["ListCoverage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/datasets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists data sets: cases from recorded runs */
        get: operations["ListDatasets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/datasets/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** makes a data set, or changes what is said of it */
        put: operations["PutDataset"];
        post?: never;
        /** removes a data set with its items; what was exported stays on record */
        delete: operations["DeleteDataset"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/datasets/{name}/exports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what was exported of a data set, and what of that was withdrawn since */
        get: operations["ListDatasetExports"];
        put?: never;
        /** gives out what has consent, as JSONL: evaluation cases, fine-tuning examples or preference pairs */
        post: operations["ExportDataset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/datasets/{name}/items": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the items of a version of a data set */
        get: operations["ListDatasetItems"];
        put?: never;
        /** makes a run a case of a data set, or changes the case that it is; personal data is cut out */
        post: operations["AddDatasetItem"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/datasets/{name}/items/{item}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** takes an item out of the next version; versions before keep it */
        delete: operations["RemoveDatasetItem"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/decisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists decisions, the newest first, pending ones included */
        get: operations["ListDecisions"];
        put?: never;
        /** decides and records an action that does not pass the door; who asks acts by the answer */
        post: operations["Decide"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/decisions/erase": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** erases a user's name and the content of decisions made for them; the records stay */
        post: operations["EraseUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/decisions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a decision and, for readers, the request that was decided */
        get: operations["GetDecision"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/decisions/{id}/answer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** tells how a held action stands, or waits for it */
        get: operations["AwaitDecision"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/decisions/{id}/complete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** reports how an action ended that was allowed and did not pass the door */
        post: operations["CompleteDecision"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/decisions/{id}/receipt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** proves a decision's records to whoever has the public key */
        get: operations["DecisionReceipt"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what was sent, with each answer, the newest first */
        get: operations["ListDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/detectors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists detectors with what is wanted of them and what people said of their findings */
        get: operations["ListDetectors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/detectors/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** says what is wanted of a detector, by effect: alarms a week, smallest effect */
        put: operations["PutDetector"];
        post?: never;
        /** goes back to what is wanted of a detector for all agents, or by default */
        delete: operations["ResetDetector"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/drills": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists failover drills: cases that are tried with an upstream taken as down, and what that came to last */
        get: operations["ListDrills"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/drills/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a failover drill with what it came to each time, the newest first */
        get: operations["GetDrill"];
        /** makes or changes a failover drill: what is taken as down, for which cases, and when */
        put: operations["PutDrill"];
        post?: never;
        /** ends a failover drill; its experiments stay */
        delete: operations["DeleteDrill"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/drills/{name}/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** tries a failover now, beside its schedule */
        post: operations["RunDrill"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/erasures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the receipts of erasures, the newest first */
        get: operations["ListErasures"];
        put?: never;
        /** erases what every part holds of a user of agents, of a session or of a run, or with dry_run tells what that is */
        post: operations["ErasePerson"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/escalation-policies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists who is called, and who next */
        get: operations["ListEscalationPolicies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/escalation-policies/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** makes or changes an escalation policy */
        put: operations["PutEscalationPolicy"];
        post?: never;
        /** ends an escalation policy */
        delete: operations["DeleteEscalationPolicy"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/evaluation-labels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** says of a run, in an evaluator's place, whether it is good */
        post: operations["LabelRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/evaluation-summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** adds up what evaluators found of agents and versions, and how far people agree */
        get: operations["EvaluationSummary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/evaluations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what evaluators and people said of runs, the newest first */
        get: operations["ListEvaluations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/evaluator-trials": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** tells what an evaluator would say of the newest runs that it would look at; nothing is kept */
        post: operations["TryEvaluatorOnRuns"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/evaluator-tries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** tells what an evaluator would find of texts; nothing is kept */
        post: operations["TryEvaluator"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/evaluators": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what looks at runs that ended */
        get: operations["ListEvaluators"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/evaluators/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** makes or changes an evaluator: groundedness, schema, rule, voice, leak, refusal, judge */
        put: operations["PutEvaluator"];
        post?: never;
        /** removes an evaluator; what it found stays */
        delete: operations["DeleteEvaluator"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** follows what changes, as server-sent events that resume from Last-Event-ID */
        get: operations["Events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/experiments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists experiments, the newest first */
        get: operations["ListExperiments"];
        put?: never;
        /** runs an agent on the cases of a data set, or on bias pairs, as tests */
        post: operations["StartExperiment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/experiments/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads an experiment with its results */
        get: operations["GetExperiment"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/experiments/{id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** ends an experiment; what it found stays */
        post: operations["StopExperiment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/factors/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** takes a second factor away; the person's other sessions end */
        delete: operations["RemoveFactor"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feedback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what people and downstream systems said of runs, the newest first */
        get: operations["ListFeedback"];
        put?: never;
        /** takes what a user or a system said of a run, by its id, trace, session or join key, before or after the run is told of */
        post: operations["CreateFeedback"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feedback-erasures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** erases what was said and by whom, of one feedback or of a user; verdicts stay counted */
        post: operations["EraseFeedback"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feedback-forms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the forms through which web pages send feedback */
        get: operations["ListFeedbackForms"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feedback-forms/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** makes or changes a form: the origins of the pages that may send */
        put: operations["PutFeedbackForm"];
        post?: never;
        /** removes a form; what it sent stays */
        delete: operations["DeleteFeedbackForm"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feedback-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** says which run a join key names */
        post: operations["BindFeedbackKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feedback-links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** makes signed links by which somebody without an account can say something of one run */
        post: operations["CreateFeedbackLink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feedback-patterns": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** compares what users thought of an agent's runs with and without each pattern of steps */
        get: operations["FeedbackPatterns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feedback-summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** adds up what users said of agents and versions in a period, and how many said nothing */
        get: operations["FeedbackSummary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feedback/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a feedback */
        get: operations["GetFeedback"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feedback/{id}/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** says what the person is shown, by their link, of what became of what they said */
        put: operations["SetFeedbackStatus"];
        post?: never;
        /** ends the links by which the person sees what became of what they said */
        delete: operations["RevokeFeedbackStatus"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/feedback/{id}/tell": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** notes what the person was told of what became of it, and answers with where to tell them */
        post: operations["TellFeedback"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/findings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what detectors saw, the newest first, with what other parts found */
        get: operations["ListFindings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/findings/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a finding with its evidence and what was done about it */
        get: operations["GetFinding"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/findings/{id}/false-alarm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** calls a finding noise and takes back what Reeve did because of it */
        post: operations["FalseAlarm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/findings/{id}/judge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** says that a finding was useful or noise, or takes that back */
        post: operations["JudgeFinding"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** tells how Reeve itself is */
        get: operations["Health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incident-actions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what is to be done after incidents, the first due first */
        get: operations["ListIncidentActions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incident-acts/{id}/undo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** takes back what was done about an incident */
        post: operations["UndoIncidentAct"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incident-moves/{id}/undo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** takes a merge or split back, and what it had taught */
        post: operations["UndoIncidentMove"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incident-tasks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** changes a task, agrees to a compensation, or says that it is done */
        post: operations["ChangeIncidentTask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incident-weights": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads by which weights signals are joined, and what people's verdicts changed */
        get: operations["GetIncidentWeights"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incident-weights/revert": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** takes what one verdict changed of the weights back */
        post: operations["RevertIncidentWeights"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists incidents: live ones by the people they touch, then the newest first */
        get: operations["ListIncidents"];
        put?: never;
        /** opens an incident by hand */
        post: operations["OpenIncident"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads an incident with its timeline, its signals and why each is there */
        get: operations["GetIncident"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** changes title, severity, kind, owner and roles of an incident */
        patch: operations["UpdateIncident"];
        trace?: never;
    };
    "/api/v1/incidents/{id}/acknowledge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** says that somebody looks at it: paging ends */
        post: operations["AcknowledgeIncident"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/acts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** does something about an incident: contain, stop, lower a budget, pin, switch, take a source out, tell the affected, for which a second person agrees */
        post: operations["ActOnIncident"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/judge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** says whether a signal belongs to an incident, which moves the weights */
        post: operations["JudgeIncidentSignal"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/merge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** makes an incident part of another; it can be taken back */
        post: operations["MergeIncident"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/mitigate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** says that people are safe from it */
        post: operations["MitigateIncident"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/notes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** adds a person's words to the timeline */
        post: operations["NoteIncident"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/offers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what can be done about an incident */
        get: operations["ListIncidentOffers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** tells what an act would come to, without doing it */
        post: operations["PreviewIncidentAct"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/records": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what runs of an incident's agents changed since it began */
        get: operations["ListIncidentRecords"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/reopen": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** takes back that it was mitigated or resolved */
        post: operations["ReopenIncident"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/resolve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** ends an incident */
        post: operations["ResolveIncident"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/review": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads the review of an incident, or drafts it from the timeline */
        get: operations["GetIncidentReview"];
        /** stores the review of an incident; done ends it as reviewed */
        put: operations["SaveIncidentReview"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/review-pdf": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** gives the review of an incident as a PDF */
        get: operations["GetIncidentReviewPDF"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/runbook-runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the runbooks that were run on an incident */
        get: operations["ListRunbookRuns"];
        put?: never;
        /** begins a runbook on an incident, or proposes it to a second person */
        post: operations["StartRunbook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/runbook-trials": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** says what a runbook would do to an incident, without doing it */
        post: operations["TryRunbook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/split": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** takes signals out into an incident of their own; it can be taken back */
        post: operations["SplitIncident"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** adds an action with owner and date, a compensation or a step */
        post: operations["AddIncidentTask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/timeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the sentences of an incident, each with its evidence */
        get: operations["IncidentTimeline"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/incidents/{id}/why": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** says why an incident came about, by its runs and by what its agents stand on */
        get: operations["GetIncidentWhy"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/intake-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists intake keys of one's teams */
        get: operations["ListIntakeKeys"];
        put?: never;
        /** makes a write-only key for a team's environment; its secret is shown once */
        post: operations["CreateIntakeKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/intake-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** ends an intake key */
        delete: operations["RevokeIntakeKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/issuers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the outside issuers whose tokens are taken */
        get: operations["ListTokenIssuers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/issuers/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** registers an outside issuer, or replaces a registration */
        put: operations["PutTokenIssuer"];
        post?: never;
        /** takes no more tokens of an outside issuer */
        delete: operations["DeleteTokenIssuer"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys/leaked": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** ends a key or token of Reeve by its text, or a list of them as GitHub reports leaked ones to partners: who holds it may; the answer never says whether it lived */
        post: operations["LeakedKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/kpis": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the KPIs with what they mean and what they come to */
        get: operations["ListKPIs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/kpis/try": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** says what a definition of a KPI would come to, without keeping it */
        post: operations["TryKPI"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/kpis/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** gives one KPI over time, split where asked, with interval, sample, coverage and its records */
        get: operations["GetKPI"];
        /** defines a KPI of your own, or its next version */
        put: operations["PutKPI"];
        post?: never;
        /** drops a KPI of your own; its versions stay */
        delete: operations["DeleteKPI"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/kpis/{id}/records": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the records behind a figure that no search finds: feedback, sessions, evaluations, cases */
        get: operations["ListKPIRecords"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/kpis/{id}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the versions of a KPI of your own, the newest first */
        get: operations["ListKPIVersions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/lessons": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what was learned of incidents */
        get: operations["ListLessons"];
        put?: never;
        /** makes a lesson that agents fetch at the door */
        post: operations["CreateLesson"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/lessons/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a lesson with who read it and what came of its measure */
        get: operations["GetLesson"];
        /** changes a lesson, or lets it hold again */
        put: operations["UpdateLesson"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/lessons/{id}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** takes a lesson back: no agent is given it any more */
        post: operations["RevokeLesson"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/lint": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** says what each agent's telemetry leaves out, what that costs, and what sets it */
        get: operations["Lint"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists log records, the newest first */
        get: operations["ListLogs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/map": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** tells who depends on what: agents, tools, models, servers and sources, as they were observed */
        get: operations["GetMap"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/map/blast": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** tells what a node of the map would take down: agents, runs, users, cost, and what is open there */
        get: operations["GetBlast"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/match-agent": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** says which registered agent telemetry would be matched to, and by which rule */
        get: operations["MatchAgent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** tells who asks and what they may do */
        get: operations["Me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/factors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** enrols a device for one-time codes; its secret is shown once */
        post: operations["BeginFactor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/factors/{id}/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** shows a first code, so that the device counts; the first device brings recovery codes */
        post: operations["ConfirmFactor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/fresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** shows a code of the second factor, which dangerous acts need within five minutes */
        post: operations["ShowFactor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/fresh/passkey": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** shows a passkey, which dangerous acts need within five minutes */
        post: operations["ShowPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/fresh/passkey/options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** gives what a browser is asked with for one of one's own passkeys */
        post: operations["AskPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/passkeys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** enrols a passkey of the browser that asks */
        post: operations["BeginPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/passkeys/{id}/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** takes the browser's new passkey, so that it counts; the first factor brings recovery codes */
        post: operations["ConfirmPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/recovery-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** gives new recovery codes for the old ones */
        post: operations["RenewRecoveryCodes"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/metric-points": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists metric points, the newest first */
        get: operations["ListMetricPoints"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/moods": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists sessions with signs of frustration, the most frustrated first */
        get: operations["ListMoods"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/notices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what everybody should know, with buttons */
        get: operations["Notices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/objective-proposals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists lasting changes of autonomy that objectives speak for, the newest first */
        get: operations["ListObjectiveProposals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/objective-proposals/{id}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** changes the agent's autonomy as proposed, with one's own rights */
        post: operations["AcceptObjectiveProposal"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/objective-proposals/{id}/decline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** leaves the agent's autonomy as it is */
        post: operations["DeclineObjectiveProposal"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/objectives": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists objectives with what is left of their budgets */
        get: operations["ListObjectives"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/objectives/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads an objective with how it stands */
        get: operations["GetObjective"];
        /** makes or changes an objective; dry_run only says what is wrong and what warns */
        put: operations["PutObjective"];
        post?: never;
        /** drops an objective; what a response policy did for it stays until a person takes it back */
        delete: operations["DeleteObjective"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/objectives/{name}/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** gives an objective over its window, and what spent its budget */
        get: operations["GetObjectiveStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/on-call": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists who is on call now and next */
        get: operations["ListSchedules"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/on-call/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a schedule with its shifts of the next days */
        get: operations["GetSchedule"];
        /** makes or changes a schedule: rotations, zone */
        put: operations["PutSchedule"];
        post?: never;
        /** ends a schedule that no policy calls */
        delete: operations["DeleteSchedule"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/on-call/{name}/overrides": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** puts somebody on call for a time; oneself always */
        post: operations["OverrideOnCall"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/on-call/{name}/overrides/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** takes an override away */
        delete: operations["EndOverride"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** describes this API */
        get: operations["OpenAPI"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/outcome-evidence": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists evidence about outcomes, the newest first */
        get: operations["ListEvidence"];
        put?: never;
        /** reports what a downstream system, a user or a judge says of how a run ended; the run may come later */
        post: operations["ReportOutcome"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/outcome-rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists rules about outcomes, deadlines and stuck runs, and the settling windows */
        get: operations["ListOutcomeRules"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/outcome-rules/try": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** says what a rule about outcomes would say of the runs of the last days, without keeping it */
        post: operations["TryOutcomeRule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/outcome-rules/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** makes or changes a rule about outcomes */
        put: operations["PutOutcomeRule"];
        post?: never;
        /** drops a rule about outcomes */
        delete: operations["DeleteOutcomeRule"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** answers whether the agents help and what needs a person */
        get: operations["Overview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/overview/broken": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** says of the incidents that need a person what was changed before each, and what its runs cost */
        get: operations["OverviewBroken"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/pages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists whom Reeve called about what, and whether it arrived */
        get: operations["ListPages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/people": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists people with their teams and roles */
        get: operations["ListPeople"];
        put?: never;
        /** makes an account; with the admin token the first one, an admin, and the token dies */
        post: operations["CreatePerson"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/people/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** changes an account: name and password; as an admin also teams, disabled, and roles, which a second person confirms */
        patch: operations["UpdatePerson"];
        trace?: never;
    };
    "/api/v1/people/{id}/factors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists second factors: one's own (me), or anybody's for an admin */
        get: operations["ListFactors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists policies, guardrails first */
        get: operations["ListPolicies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policies/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** tells what the door would say to an action of an agent, and why */
        post: operations["CheckPolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policies/propose": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** proposes the smallest policy that permits what an agent did, and tries it on the period before */
        post: operations["ProposePolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policies/simulate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** tries policies, or another mode, on recorded decisions and lists every verdict that would change */
        post: operations["SimulatePolicies"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policies/validate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** tells what is wrong with a policy's text, by line and column */
        post: operations["ValidatePolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policies/would": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** counts what observing kept from being refused, by agent, resource and reason */
        get: operations["WouldRefuse"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policies/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a policy */
        get: operations["GetPolicy"];
        /** makes or replaces a policy; a team's developers may do so in observe, security in enforce; a guardrail a second person confirms */
        put: operations["PutPolicy"];
        post?: never;
        /** ends a policy; its revisions stay; of a guardrail a second person confirms it */
        delete: operations["DeletePolicy"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policies/{name}/enforce": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** enforces a policy once a simulation showed what that refuses; without one, answers with it */
        post: operations["EnforcePolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policies/{name}/mode": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** puts a policy in observe or enforce */
        post: operations["SetPolicyMode"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policies/{name}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** makes a policy again what it was at a revision, a deleted one too */
        post: operations["RestorePolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policies/{name}/revisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what a policy was, the newest first */
        get: operations["ListPolicyRevisions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/pollers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the systems that are asked for records of agents, and how that goes */
        get: operations["ListPollers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/pollers/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a poller */
        get: operations["GetPoller"];
        /** makes or replaces a poller; what was read stays read */
        put: operations["PutPoller"];
        post?: never;
        /** forgets a poller; its runs stay */
        delete: operations["DeletePoller"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/pollers/{name}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** stops a poller for now */
        post: operations["PausePoller"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/pollers/{name}/poll": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** wakes a poller before its time */
        post: operations["PollNow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/pollers/{name}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** goes on polling where it was */
        post: operations["ResumePoller"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/pollers/{name}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** asks a poller's system for a first page and keeps nothing of it */
        post: operations["TestPoller"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/probably-failed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists runs of an agent that nobody judged by how likely each has failed, learned from its judged ones */
        get: operations["ListProbablyFailed"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/proposals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists changes that wait for a second person, or did: one's own and those one may confirm */
        get: operations["ListProposals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/proposals/{id}/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** makes a change that another person asked for */
        post: operations["ConfirmProposal"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/proposals/{id}/decline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** refuses a change that another person asked for */
        post: operations["DeclineProposal"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/proposals/{id}/withdraw": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** takes back a change that one asked for */
        post: operations["WithdrawProposal"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** answers an aggregate question over runs, steps, decisions, messages or logs */
        post: operations["Query"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/readiness": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** says how far what agents read can be relied on: freshness, update frequency, errors, audits, coverage of what is asked */
        get: operations["GetReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/relay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists where telemetry is forwarded to, and how that goes */
        get: operations["ListRelays"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/relay/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a relay destination */
        get: operations["GetRelay"];
        /** makes or replaces a relay destination; a new one begins with what arrives from now on */
        put: operations["PutRelay"];
        post?: never;
        /** forgets a relay destination and what it does not have yet */
        delete: operations["DeleteRelay"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/relay/{name}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** stops forwarding to a destination; what arrives waits as long as the queue has room */
        post: operations["PauseRelay"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/relay/{name}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** goes on forwarding to a destination where it was */
        post: operations["ResumeRelay"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/relay/{name}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** sends one span of Reeve's own to a destination and says how that went */
        post: operations["TestRelay"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/remaps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists times whose steps were, or would be, mapped again */
        get: operations["ListRemaps"];
        put?: never;
        /** looks for what today's table would make otherwise of stored steps; nothing changes yet */
        post: operations["PlanRemap"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/remaps/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a plan or what became of it, with its progress */
        get: operations["GetRemap"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/remaps/{id}/apply": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** maps the steps of a plan again; their attributes stay, but for what is content or a credential by now */
        post: operations["ApplyRemap"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/response-policies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what follows from which findings without a person */
        get: operations["ListResponsePolicies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/response-policies/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** makes or changes a response policy; it observes unless it says enforce */
        put: operations["PutResponsePolicy"];
        post?: never;
        /** drops a response policy; what it did stays */
        delete: operations["DeleteResponsePolicy"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/responses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what was done about findings, or would have been, the newest first */
        get: operations["ListResponses"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/responses/{id}/apply": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** does what a braked or observing response policy would have done */
        post: operations["ApplyResponse"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/responses/{id}/revert": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** takes a response back to what a person had set */
        post: operations["RevertResponse"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/retention": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** tells how long telemetry is kept, by environment, team and kind */
        get: operations["GetRetention"];
        /** says how long something is kept; what is older goes within the hour, for good */
        put: operations["PutRetention"];
        post?: never;
        /** drops a rule of retention; the less specific one holds again */
        delete: operations["DeleteRetention"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/retention/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** counts what a rule of retention would drop; nothing changes */
        post: operations["PreviewRetention"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rule-words": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what a rule may ask about */
        get: operations["ListRuleWords"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the rules that people wrote */
        get: operations["ListRules"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rules/try": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** says when a rule would have held in the last days, without keeping it */
        post: operations["TryRule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rules/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a rule */
        get: operations["GetRule"];
        /** makes or changes a rule */
        put: operations["PutRule"];
        post?: never;
        /** drops a rule; its versions stay */
        delete: operations["DeleteRule"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rules/{name}/revisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the versions of a rule, the newest first */
        get: operations["ListRuleRevisions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runbook-runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the runs of runbooks that wait for the asker's agreement */
        get: operations["ListWaitingRunbookRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runbook-runs/{id}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** agrees to a runbook that somebody else proposed */
        post: operations["ApproveRunbook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runbook-runs/{id}/roll-back": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** takes back what a runbook did, the last first */
        post: operations["RollBackRunbook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runbook-runs/{id}/step": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** does the next step of a runbook */
        post: operations["StepRunbook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runbooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what is done about incidents, step by step */
        get: operations["ListRunbooks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runbooks/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** makes or changes a runbook */
        put: operations["PutRunbook"];
        post?: never;
        /** ends a runbook; its runs stay */
        delete: operations["DeleteRunbook"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists runs, the newest first, those still running included */
        get: operations["ListRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/different": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** says what sets a selection of runs apart from the rest */
        post: operations["Different"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a run */
        get: operations["GetRun"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/cases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the data sets in which a run is a case */
        get: operations["ListRunCases"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/decisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the decisions of a run, the newest first, pending ones included */
        get: operations["ListRunDecisions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/hold": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** makes each further call of a run wait for a person */
        post: operations["HoldRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the log records of a run, or those of its agent around it that name no run, the newest first */
        get: operations["ListRunLogs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the distinct messages of a run in the order they first appeared */
        get: operations["ListMessages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the metric points of a run's agent around the run */
        get: operations["ListRunMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/notes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** says something to a run's model, with its next call or with each */
        post: operations["TellRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/notes/{note}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** ends a note that may still be told */
        delete: operations["WithdrawRunNote"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/outcome": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** says how a run ended for its user, and why it counts so */
        get: operations["GetRunOutcome"];
        put?: never;
        /** says how a run ended; it holds over all evidence */
        post: operations["DecideOutcome"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** lets a held run go on */
        post: operations["ReleaseRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** puts a recorded model step to another model or prompt; calls of tools are those of the recording, and the first other one ends it */
        post: operations["ReplayRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/sources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** says what the run read, in which version and how old it was then */
        get: operations["ListRunSources"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/steering": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads what people do about a run while it goes on: who holds it, what they said */
        get: operations["GetSteering"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/steps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the steps of a run by start time, light or with content */
        get: operations["ListSteps"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/steps/{step}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a step with its attributes and, for readers, its content */
        get: operations["GetStep"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/suspects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** ranks the steps at which a run may have gone wrong first */
        get: operations["ListSuspects"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/suspects/judge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** names the step at which a run went wrong, from which the order of suspects learns, or takes that back */
        post: operations["JudgeSuspects"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/topic": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** says what a run was about, and how patient its session's user was */
        get: operations["GetRunTopic"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/why": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** says why a run ended as it did: likely causes with their evidence, and what is unknown; format=prov exports it as W3C PROV-JSON */
        get: operations["GetRunWhy"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/search/complete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** proposes how a search could go on */
        get: operations["CompleteSearch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/search/fields": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the fields of the search language with their known values */
        get: operations["SearchFields"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists sessions, the last active first */
        get: operations["ListSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/setup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** tells whether the first account is still to be made */
        get: operations["Setup"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/siem": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists where records stream to, and how that goes */
        get: operations["ListSIEMTargets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sign-ins": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists one's sessions; an admin may ask for everybody's */
        get: operations["ListSignIns"];
        put?: never;
        /** signs in with name and password */
        post: operations["SignIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sign-ins/passkey": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** signs in with a passkey, without a password */
        post: operations["SignInWithPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sign-ins/passkey/options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** gives what a browser is asked with for a passkey to sign in with */
        post: operations["AskPasskeySignIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sign-ins/redeem": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** fetches the session that a provider's sign-in opened, once and with its cookie */
        post: operations["RedeemSignIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sign-ins/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** ends a session; current ends the one that asks */
        delete: operations["EndSignIn"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/silences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists silences and maintenance windows */
        get: operations["ListSilences"];
        put?: never;
        /** keeps matching signals from making incidents until a time */
        post: operations["CreateSilence"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/silences/{id}/end": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** ends a silence: what still fires is taken in */
        post: operations["EndSilence"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/simulations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a simulation of one's own, while it goes on too */
        get: operations["GetSimulation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what agents read, with how fresh it is */
        get: operations["ListSources"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sources/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a source with its versions, jobs, checks and documents */
        get: operations["GetSource"];
        /** registers a source, or says how old it may be and who answers for it */
        put: operations["PutSource"];
        post?: never;
        /** forgets a source and its history */
        delete: operations["DeleteSource"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sources/{name}/audit-plan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads how a source is audited by itself, by asking an agent */
        get: operations["GetAuditPlan"];
        /** has an agent asked sampled questions at times, as tests, and its answers held against the truth */
        put: operations["PutAuditPlan"];
        post?: never;
        /** ends the audit plan of a source; its audits stay */
        delete: operations["DeleteAuditPlan"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sources/{name}/audit-plan/now": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** has the audit plan of a source ask now */
        post: operations["AskAuditPlan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sources/{name}/audits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists audits of a source, the newest first */
        get: operations["ListSourceAudits"];
        put?: never;
        /** holds answers from a source against the truth */
        post: operations["AuditSource"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sources/{name}/back": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** puts a source back into use */
        post: operations["PutSourceBack"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sources/{name}/out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** takes a source out of use: the door refuses to read it */
        post: operations["TakeSourceOut"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/standard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads the standard that agents keep to */
        get: operations["GetStandard"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/standard/conformance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** counts by team how many agents keep to the standard */
        get: operations["Conformance"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/standard/waivers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the waivers that hold, the first to end first */
        get: operations["ListWaivers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stops": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists stops, the newest first, with their receipts */
        get: operations["ListStops"];
        put?: never;
        /** stops a target: cuts its calls in flight, kills an agent's credentials and refuses new calls; answers with the receipt */
        post: operations["CreateStop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stops/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** tells what a stop would cut now */
        post: operations["PreviewStop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stops/{id}/lift": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** ends a stop; it revives no credential */
        post: operations["LiftStop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/suspect-verdicts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the steps that people named, and what the order of suspects learned of them by team */
        get: operations["ListSuspectVerdicts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists teams */
        get: operations["ListTeams"];
        put?: never;
        /** makes a team */
        post: operations["CreateTeam"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists one's tokens; an admin may ask for everybody's */
        get: operations["ListTokens"];
        put?: never;
        /** makes a token with at most one's own roles; its secret is shown once */
        post: operations["CreateToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** ends a token */
        delete: operations["RevokeToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tool-findings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists why tools are or were held, the newest first */
        get: operations["ListToolFindings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tools": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the tools of MCP servers, with what waits for a person and why */
        get: operations["ListTools"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tools/{upstream}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists an upstream's tools with the digest by which all are accepted */
        get: operations["UpstreamTools"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tools/{upstream}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** accepts all tools of an upstream that wait and that nothing serious speaks against */
        post: operations["AcceptTools"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tools/{upstream}/{tool}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a tool with its versions, what changed, and what its definition suggests */
        get: operations["GetTool"];
        put?: never;
        post?: never;
        /** drops a tool with its versions: the next list has it as new */
        delete: operations["ForgetTool"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tools/{upstream}/{tool}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** accepts the definition of a tool that was shown, with its effect, data classes and paths */
        post: operations["AcceptTool"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tools/{upstream}/{tool}/difference": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** tells how two definitions of a tool differ, word by word and by path */
        get: operations["ToolDifference"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tools/{upstream}/{tool}/hold": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** makes a tool wait for a person again */
        post: operations["HoldTool"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/topics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what people ask for, the most first, with what became of it */
        get: operations["ListTopics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/topics/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads a topic: its agents, its course, and for readers what is typically asked */
        get: operations["GetTopic"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/topics/{id}/name": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** gives a topic a name */
        put: operations["NameTopic"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/topics/{id}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists runs about a topic, the newest first; none lists those that are like too few others */
        get: operations["ListTopicRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/unanswered-questions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists what was asked and not answered, the newest first, each with its run; the words are for who may read content */
        get: operations["ListUnanswered"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/unknown-agents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists agents that were seen and are not registered, the last seen first */
        get: operations["ListUnknownAgents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/unknown-agents/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads an unknown agent with its first evidence */
        get: operations["GetUnknownAgent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/unknown-agents/{id}/block": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** refuses at the door whoever calls itself by an unknown agent's name */
        post: operations["BlockUnknownAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/unknown-agents/{id}/dismiss": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** takes an unknown agent off the list */
        post: operations["DismissUnknownAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/unknown-agents/{id}/merge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** makes an unknown agent a registered one, by an alias */
        post: operations["MergeUnknownAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/unknown-agents/{id}/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** registers an unknown agent as a pilot in observe */
        post: operations["RegisterUnknownAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/unknown-agents/{id}/undo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** takes back what was decided of an unknown agent */
        post: operations["UndoUnknownAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/upstreams": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists upstreams with their health, never their credentials */
        get: operations["ListUpstreams"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/upstreams/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads an upstream */
        get: operations["GetUpstream"];
        /** makes or replaces an upstream; one that leads elsewhere loses its credential */
        put: operations["PutUpstream"];
        post?: never;
        /** removes an upstream and its credential */
        delete: operations["DeleteUpstream"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/upstreams/{name}/card": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** reads the card of a peer as it was fetched, and whether people accepted it */
        get: operations["GetPeerCard"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/upstreams/{name}/connection": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** begins to connect an upstream to its authorization server */
        post: operations["ConnectUpstream"];
        /** gives up what was granted for an upstream */
        delete: operations["DisconnectUpstream"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/upstreams/{name}/connection/finish": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** finishes it with what the authorization server said */
        post: operations["FinishUpstreamConnection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/upstreams/{name}/switch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** sends an upstream's calls to another one like it */
        post: operations["SwitchUpstream"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/upstreams/{name}/switch-back": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** lets an upstream's calls go to it again */
        post: operations["SwitchBackUpstream"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/value": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** says what runs were worth by the assumptions in force, less cost, people's minutes and harm, and how far each assumption moves it */
        get: operations["GetValueLedger"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/value/assumptions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** lists the versions of what runs were said to be worth, the newest first */
        get: operations["ListAssumptions"];
        /** says what runs are worth and what harm costs; every version stays */
        put: operations["PutAssumptions"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AcceptToolRequest: {
            acknowledge?: string[];
            classes?: string[];
            effect?: string;
            hash: string;
            paths: components["schemas"]["ToolPaths"];
            reason: string;
            vouches?: boolean;
        };
        AcceptToolsRequest: {
            digest: string;
            reason: string;
            suggested?: boolean;
        };
        AcceptedTools: {
            accepted: components["schemas"]["Tool"][];
            waiting: components["schemas"]["Tool"][];
        };
        AddAgentJWKsRequest: {
            expires_in?: string;
            jwks: unknown;
        };
        AddDatasetItemRequest: {
            absent?: string[];
            consent?: string;
            contains?: string[];
            expected?: string;
            input?: components["schemas"]["ChatMessage"][];
            labels?: string[];
            note?: string;
            run?: string;
            verdict?: string;
        };
        AddIncidentTaskRequest: {
            /** Format: date-time */
            due_at?: string | null;
            evidence?: components["schemas"]["IncidentEvidence"] | null;
            kind: string;
            owner?: string;
            text: string;
        };
        Addresses: {
            console?: string;
            door?: string;
            otlp_grpc?: string;
            otlp_http?: string;
        };
        AdoptAgentsRequest: {
            all?: boolean;
            ids?: string[];
            owner?: string;
            purpose?: string;
            reason?: string;
            sponsor?: string;
            team?: string;
        };
        Adoption: {
            adopted: components["schemas"]["Agent"][];
            skipped: components["schemas"]["SkippedAdoption"][];
        };
        Agent: {
            aliases: components["schemas"]["AgentAlias"][];
            autonomy: string;
            /** Format: date-time */
            contained_till: string | null;
            containment: string;
            content: string;
            /** Format: date-time */
            created_at: string;
            data_classes: string[];
            enforcement: string;
            environment: string;
            kind: string;
            labels: {
                [key: string]: string;
            };
            /** Format: date-time */
            last_seen: string | null;
            lifecycle: string;
            marks: components["schemas"]["Mark"][];
            merged_into?: string;
            mode: string;
            name: string;
            /** Format: date-time */
            observe_till: string | null;
            origin: string;
            owner: string;
            pins: components["schemas"]["AgentPin"][];
            purpose: string;
            revision: number;
            sponsor: string;
            standard: components["schemas"]["StandardBreak"][];
            task?: string;
            team: string;
            /** Format: date-time */
            updated_at: string;
            version: string;
        };
        AgentAlias: {
            kind: string;
            value: string;
        };
        AgentBehaviour: {
            agent: string;
            /** Format: date-time */
            from: string;
            seen: components["schemas"]["Behaviour"][];
        };
        AgentClaim: {
            agent_id?: string;
            environment?: string;
            name?: string;
            service?: string;
            team?: string;
        };
        AgentCoverage: {
            agent: string;
            environment?: string;
            governed: number;
            /** Format: date-time */
            last_at: string | null;
            results: number;
            share: number | null;
            team?: string;
            unchecked: number;
            ungoverned: number;
        };
        AgentCoverageList: {
            items: components["schemas"]["AgentCoverage"][];
            next?: string;
        };
        AgentDay: {
            cost: number | null;
            decisions: {
                [key: string]: number;
            };
            failed: number;
            runs: number;
            tokens: number | null;
        };
        AgentEvent: {
            /** Format: date-time */
            at: string;
            by?: string;
            kind: string;
            reason?: string;
            ref?: string;
            text: string;
        };
        AgentEventList: {
            items: components["schemas"]["AgentEvent"][];
            next?: string;
        };
        AgentFeedback: {
            adjusted: number | null;
            agent: string;
            answered: number;
            best: number | null;
            environment?: string;
            failed_all: number | null;
            failed_answered: number | null;
            negative: number;
            neutral: number;
            other: number;
            positive: number;
            response_rate: components["schemas"]["Share"];
            runs: number;
            satisfaction: components["schemas"]["Share"];
            team?: string;
            version: string;
            worst: number | null;
        };
        AgentJWK: {
            agent: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string;
            jwk: unknown;
            kid: string;
        };
        AgentJWKList: {
            items: components["schemas"]["AgentJWK"][];
            next?: string;
        };
        AgentKey: {
            agent: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string;
            id: string;
            key?: string;
            label: string;
            /** Format: date-time */
            last_used: string | null;
            networks: string[];
            /** Format: date-time */
            revoked_at: string | null;
            secret?: string;
        };
        AgentKeyList: {
            items: components["schemas"]["AgentKey"][];
            next?: string;
        };
        AgentList: {
            items: components["schemas"]["Agent"][];
            next?: string;
        };
        AgentMarks: {
            agent: string;
            marks: components["schemas"]["Mark"][];
            path?: string;
            reason?: string;
            state: string;
            team: string;
        };
        AgentMarksList: {
            items: components["schemas"]["AgentMarks"][];
            next?: string;
        };
        AgentMatch: {
            agent?: string;
            candidates: string[];
            claim: components["schemas"]["AgentClaim"];
            /** Format: date-time */
            first_seen: string | null;
            /** Format: date-time */
            last_seen: string | null;
            rule?: string;
            seen: number;
            why: string;
        };
        AgentMatchList: {
            items: components["schemas"]["AgentMatch"][];
            next?: string;
        };
        AgentOAuth: {
            audiences: string[];
            bound: boolean;
            client_id: string;
            life_s: number;
            resources: string[];
            scopes: string[];
        };
        AgentPin: {
            /** Format: date-time */
            at: string;
            by: string;
            from?: string;
            kind: string;
            reason: string;
            /** Format: date-time */
            until: string | null;
            value: string;
        };
        AgentReasonRequest: {
            reason: string;
        };
        AgentRevision: {
            action: string;
            agent: components["schemas"]["Agent"];
            /** Format: date-time */
            at: string;
            author: string;
            changed: string[];
            reason?: string;
            revision: number;
        };
        AgentRevisionList: {
            items: components["schemas"]["AgentRevision"][];
            next?: string;
        };
        AgentSVID: {
            bundle: string;
            certificate_chain: string;
            /** Format: date-time */
            expires_at: string;
            instance: string;
            serial: string;
            spiffe_id: string;
        };
        AgentSummary: {
            agent: components["schemas"]["Agent"];
            day: components["schemas"]["AgentDay"] | null;
            inventory: components["schemas"]["InventoryCount"][];
            known_as: string[];
            last_change: components["schemas"]["AgentEvent"] | null;
            live_calls: number | null;
            live_runs: number | null;
            may_do: components["schemas"]["Entitlement"][];
            text: string;
            unknown_parts: number;
            verdict: string;
            version: components["schemas"]["AgentVersion"] | null;
        };
        AgentVersion: {
            approved: boolean;
            /** Format: date-time */
            approved_at: string | null;
            approved_by?: string;
            changed: string[];
            current: boolean;
            /** Format: date-time */
            first_seen: string;
            hash: string;
            /** Format: date-time */
            last_seen: string;
            made_of: {
                [key: string]: string[];
            };
            name: string;
            parts: {
                [key: string]: string;
            };
            reason?: string;
            run_id?: string;
        };
        AgentVersionList: {
            items: components["schemas"]["AgentVersion"][];
            next?: string;
        };
        Alert: {
            acknowledged: boolean;
            agent?: string;
            agent_reason?: string;
            environment?: string;
            episodes: number;
            /** Format: date-time */
            expires_at: string | null;
            /** Format: date-time */
            first_seen_at: string;
            id: string;
            key: string;
            kind: string;
            labels?: {
                [key: string]: string;
            };
            /** Format: date-time */
            last_seen_at: string;
            late: number;
            links?: components["schemas"]["AlertLink"][];
            receptions: number;
            /** Format: date-time */
            resolved_at: string | null;
            resolved_by?: string;
            severity: string;
            source: string;
            /** Format: date-time */
            started_at: string;
            state: string;
            /** Format: date-time */
            state_changed_at: string;
            team?: string;
            text?: string;
            title: string;
        };
        AlertDetail: {
            acknowledged: boolean;
            agent?: string;
            agent_reason?: string;
            environment?: string;
            episodes: number;
            /** Format: date-time */
            expires_at: string | null;
            /** Format: date-time */
            first_seen_at: string;
            history: components["schemas"]["AlertEvent"][];
            id: string;
            incident?: string;
            key: string;
            kind: string;
            labels?: {
                [key: string]: string;
            };
            /** Format: date-time */
            last_seen_at: string;
            late: number;
            links?: components["schemas"]["AlertLink"][];
            raw: string | null;
            raw_bytes: number;
            receptions: number;
            /** Format: date-time */
            resolved_at: string | null;
            resolved_by?: string;
            severity: string;
            source: string;
            /** Format: date-time */
            started_at: string;
            state: string;
            /** Format: date-time */
            state_changed_at: string;
            team?: string;
            text?: string;
            title: string;
        };
        AlertEvent: {
            alert_id: string;
            /** Format: date-time */
            at: string;
            by?: string;
            kind: string;
            /** Format: date-time */
            received_at: string;
            seq: number;
            severity?: string;
            text?: string;
        };
        AlertLink: {
            title?: string;
            url: string;
        };
        AlertList: {
            items: components["schemas"]["Alert"][];
            next?: string;
        };
        AlertMapping: {
            at?: string;
            each?: string;
            key?: string;
            labels?: string;
            severity?: string;
            status?: string;
            text?: string;
            title?: string;
            url?: string;
            when?: string;
        };
        AlertSource: {
            auth: string;
            branches?: string[];
            /** Format: date-time */
            created_at: string;
            deliveries: number;
            description?: string;
            environment?: string;
            forged: number;
            kind: string;
            /** Format: date-time */
            last_at: string | null;
            last_error?: string;
            /** Format: date-time */
            last_refused_at: string | null;
            mapping?: components["schemas"]["AlertMapping"] | null;
            name: string;
            path: string;
            purpose: string;
            refused: number;
            registered: boolean;
            resolve_after?: string;
            revision: number;
            secrets: components["schemas"]["HookSecret"][];
            team?: string;
            /** Format: date-time */
            updated_at: string;
            url_token: boolean;
        };
        AlertSourceList: {
            items: components["schemas"]["AlertSource"][];
            next?: string;
        };
        AlertSourceWithSecret: {
            auth: string;
            branches?: string[];
            /** Format: date-time */
            created_at: string;
            deliveries: number;
            description?: string;
            environment?: string;
            forged: number;
            kind: string;
            /** Format: date-time */
            last_at: string | null;
            last_error?: string;
            /** Format: date-time */
            last_refused_at: string | null;
            mapping?: components["schemas"]["AlertMapping"] | null;
            name: string;
            path: string;
            purpose: string;
            refused: number;
            registered: boolean;
            resolve_after?: string;
            revision: number;
            secret?: string;
            secrets: components["schemas"]["HookSecret"][];
            team?: string;
            /** Format: date-time */
            updated_at: string;
            url_token: boolean;
        };
        AnswerApproval: {
            address: string;
            /** Format: date-time */
            expires_at: string | null;
            id: string;
        };
        Approval: {
            action: string;
            agent: string;
            agent_words: components["schemas"]["ShownText"] | null;
            amount: components["schemas"]["ShownText"] | null;
            arguments: components["schemas"]["Arguments"] | null;
            asked: number;
            can: components["schemas"]["ApprovalCan"];
            chain: string[];
            classes: string[];
            code?: string;
            /** Format: date-time */
            created_at: string;
            currency: components["schemas"]["ShownText"] | null;
            /** Format: date-time */
            decided_at: string | null;
            decision_id: string;
            destination: components["schemas"]["ShownText"] | null;
            destinations: string[];
            effect: string;
            /** Format: date-time */
            ended_at: string | null;
            environment: string;
            /** Format: date-time */
            expires_at: string;
            external: boolean;
            forwarded: boolean;
            groups: components["schemas"]["VoteGroup"][];
            id: string;
            model?: string;
            name: string;
            owner?: string;
            page: string;
            pin?: string;
            reason?: string;
            reasons: components["schemas"]["Reason"][];
            recipient: components["schemas"]["ShownText"] | null;
            resource: string;
            run_id: string;
            session?: string;
            similar: components["schemas"]["PastAnswer"][];
            state: string;
            statements: components["schemas"]["PolicyRef"][];
            takeover: components["schemas"]["Takeover"] | null;
            team: string;
            tool?: string;
            upstream: string;
            used_by?: string;
            user?: string;
            version?: string;
            votes: components["schemas"]["Vote"][];
            words: string;
        };
        ApprovalCan: {
            approve: boolean;
            deny: boolean;
            edit: boolean;
            give_back: boolean;
            take_over: boolean;
            unopened: boolean;
            why?: string;
        };
        ApprovalIndicators: {
            answer_p50_s: number | null;
            answer_p95_s: number | null;
            answered: number;
            approvers: components["schemas"]["ApproverLoad"][];
            asked: number;
            /** Format: date-time */
            from: string;
            incomplete: boolean;
            pending: number;
            states: {
                [key: string]: number;
            };
            /** Format: date-time */
            to: string;
            unopened_share: number | null;
        };
        ApprovalList: {
            items: components["schemas"]["Approval"][];
            next?: string;
        };
        ApprovalReasonRequest: {
            reason?: string;
        };
        ApproveGateRequest: {
            version: number;
        };
        ApprovePartRequest: {
            kind: string;
            known?: boolean | null;
            part: string;
            reason: string;
        };
        ApproveRequest: {
            hash: string;
            reason?: string;
        };
        ApproveVersionRequest: {
            reason: string;
        };
        ApproverLoad: {
            answers: number;
            approved: number;
            denied: number;
            name: string;
            p50_s: number | null;
            per_day: number;
            unopened: number;
        };
        ArgumentEdit: {
            path: string;
            value: unknown;
        };
        ArgumentField: {
            kind: string;
            origin?: string[];
            path: string;
            value: components["schemas"]["ShownText"];
            was: components["schemas"]["ShownText"] | null;
        };
        Arguments: {
            bytes: number;
            edited: boolean;
            fields: components["schemas"]["ArgumentField"][];
            hash: string;
            more: number;
            origins?: components["schemas"]["Origin"][];
            whole: components["schemas"]["ShownText"] | null;
        };
        AssessComplianceRequest: {
            from: string;
            to: string;
        };
        Assumption: {
            high: number;
            low: number;
            value: number;
        };
        AuditBreak: {
            reason: string;
            seq: number;
        };
        AuditCheckpoint: {
            checkpoint: string;
            log: string;
            size: number;
        };
        AuditCheckpointList: {
            items: components["schemas"]["AuditCheckpoint"][];
            next?: string;
        };
        AuditItem: {
            answer: string;
            item?: string;
            question: string;
            right?: boolean | null;
            run?: string;
            truth?: string;
        };
        AuditKey: {
            /** Format: date-time */
            added_at: string;
            key: string;
            /** Format: date-time */
            retired_at: string | null;
            /** Format: date-time */
            retires_at: string | null;
            vouched?: string;
        };
        AuditKeyList: {
            items: components["schemas"]["AuditKey"][];
            next?: string;
        };
        AuditPlan: {
            agent: string;
            allow_private?: boolean;
            by?: string;
            dataset?: string;
            every: string;
            known: number;
            last?: string;
            /** Format: date-time */
            last_at: string | null;
            last_audit?: string;
            /** Format: date-time */
            next_at: string | null;
            not_possible?: string;
            paused: boolean;
            questions: string;
            revision: number;
            running?: string;
            sample: number;
            sheet: components["schemas"]["KnownQuestion"][];
            source: string;
            trouble?: string;
            truth_url?: string;
        };
        AuditRecord: {
            after?: unknown;
            /** Format: date-time */
            at: string;
            before?: unknown;
            kind: string;
            leaf: string;
            record: unknown;
            seq: number;
            who?: string;
        };
        AuditRecordList: {
            items: components["schemas"]["AuditRecord"][];
            next?: string;
        };
        AuditReport: {
            agreed: number;
            break: components["schemas"]["AuditBreak"] | null;
            erased: number;
            first: number;
            last: number;
            last_leaf: string;
            log: string;
            open: number;
            records: number;
            what: string;
            witness_file: boolean;
            witness_url: boolean;
            witnessed: number;
        };
        AuditSourceRequest: {
            items: components["schemas"]["AuditItem"][];
            truth: string;
        };
        AuditVerification: {
            items: components["schemas"]["AuditReport"][];
            ok: boolean;
        };
        Authority: {
            issuer: string;
            roots: components["schemas"]["AuthorityRoot"][];
            sealed: boolean;
            sequence: number;
            trust_domain: string;
        };
        AuthorityRoot: {
            certificate: string;
            fingerprint: string;
            /** Format: date-time */
            not_after: string;
        };
        Backup: {
            /** Format: date-time */
            at: string;
            by: string;
            bytes: number;
            counts?: {
                [key: string]: number;
            };
            error?: string;
            files: number;
            id: string;
            program?: string;
            sealed: boolean;
            state: string;
            took_ms: number;
            /** Format: date-time */
            tried_at: string | null;
            tried_error?: string;
            tried_ms?: number;
        };
        BackupTrial: {
            /** Format: date-time */
            at: string;
            error?: string;
            id: string;
            logs?: components["schemas"]["AuditReport"][];
            ok: boolean;
            pending: boolean;
            took_ms: number;
        };
        Backups: {
            dir: string;
            doing?: string;
            every_ms: number | null;
            items: components["schemas"]["Backup"][];
            keep: number;
            same_disk: boolean;
            sealed: boolean;
            text: string;
        };
        BeginFactorRequest: {
            label: string;
            password?: string;
        };
        Behaviour: {
            environment?: string;
            /** Format: date-time */
            first_seen: string;
            hours: number[];
            /** Format: date-time */
            last_seen: string;
            name: string;
            parts: components["schemas"]["BehaviourPart"][];
            path: components["schemas"]["BehaviourPath"] | null;
            points: components["schemas"]["BehaviourPoint"][];
            ranges: components["schemas"]["BehaviourRange"][];
            runs: number;
            source: string;
            step_seconds: number;
            total: components["schemas"]["BehaviourPoint"];
        };
        BehaviourMove: {
            count: number;
            from: string;
            share: number;
            to: string;
        };
        BehaviourPart: {
            answers: number | null;
            calls: number;
            context_growth: number | null;
            cost: number;
            declined: number | null;
            errors: number;
            /** Format: date-time */
            first_seen: string;
            handoffs: number | null;
            input_tokens: number;
            kind: string;
            /** Format: date-time */
            last_seen: string;
            mean_ms: number | null;
            model_calls: number | null;
            name: string;
            output_per_call: number | null;
            output_tokens: number;
            refused: number;
            repeated: number;
            retries: number;
            tool_calls: number | null;
            waiting_ms: number | null;
        };
        BehaviourPath: {
            entropy: number;
            moves: components["schemas"]["BehaviourMove"][];
            repeatable: number;
        };
        BehaviourPoint: {
            answers: number;
            /** Format: date-time */
            at: string;
            context_growth: number | null;
            cost: number | null;
            declined: number;
            ended_runs: number;
            errors: number;
            failed_runs: number;
            first_seen: number;
            handoffs: number;
            input_tokens: number;
            model_calls: number;
            output_per_call: number | null;
            output_tokens: number;
            p50_ms: number | null;
            p95_ms: number | null;
            refused: number;
            repeated: number;
            retries: number;
            runs: number;
            steps: number;
            surprise: number | null;
            tool_calls: number;
            unpriced_calls: number;
            waiting_ms: number;
        };
        BehaviourRange: {
            high: number;
            low: number;
            measure: string;
            median: number;
            values: number;
        };
        BiasPairs: {
            a: string[];
            attribute: string;
            b: string[];
            favours: string[];
            prompts: string[];
        };
        BiasPlan: {
            adverse: boolean;
            agent: string;
            alpha: number;
            bias: components["schemas"]["BiasPairs"];
            by?: string;
            environment: string;
            every?: string;
            last?: string;
            /** Format: date-time */
            last_at: string | null;
            last_version?: string;
            looks: number;
            name: string;
            needs: number;
            /** Format: date-time */
            next_at: string | null;
            on_version: boolean;
            pairs: number;
            paused: boolean;
            repeats: number;
            revision: number;
            team: string;
            trouble?: string;
        };
        BiasPlanList: {
            items: components["schemas"]["BiasPlan"][];
            next?: string;
        };
        BindFeedbackKeyRequest: {
            environment?: string;
            key: string;
            run?: string;
            team?: string;
            trace?: string;
        };
        Blast: {
            at_risk: components["schemas"]["BlastReach"];
            dependencies: components["schemas"]["BlastNode"][];
            dependents: components["schemas"]["BlastNode"][];
            /** Format: date-time */
            from: string;
            incidents: components["schemas"]["BlastRecord"][];
            node: components["schemas"]["MapNode"];
            teams: components["schemas"]["BlastTeam"][];
            text: string;
            /** Format: date-time */
            to: string;
            touched: components["schemas"]["BlastReach"];
        };
        BlastNode: {
            distance: number;
            id: string;
            kind: string;
            name: string;
            owner?: string;
            path: string;
            state: string;
            team?: string;
        };
        BlastReach: {
            cost: number | null;
            cost_unknown: number | null;
            failed: number | null;
            no_user: number | null;
            query: string;
            runs: number | null;
            users: number | null;
        };
        BlastRecord: {
            id: string;
            number: number;
            on: string;
            severity: string;
            title: string;
        };
        BlastTeam: {
            agents: number;
            team: string;
        };
        BreakGlassRequest: {
            minutes: number;
            reason: string;
        };
        BrokenIncident: {
            change: components["schemas"]["Change"] | null;
            change_why?: string;
            cost: number | null;
            cost_why?: string;
            from?: string;
            id: string;
            number: number;
            q?: string;
            runs: number | null;
            title: string;
            unpriced: number;
        };
        BrokenStandard: {
            agents: number;
            rule: string;
            text: string;
        };
        Budget: {
            built_in: boolean;
            currency?: string;
            fullest?: components["schemas"]["BudgetShare"] | null;
            hard: boolean;
            limit: number;
            match: string;
            name: string;
            period: string;
            ready: boolean;
            reserved: number;
            /** Format: date-time */
            resets_at: string | null;
            revision: number;
            scope: string;
            shares?: components["schemas"]["BudgetShare"][];
            spent: number;
            team: string;
            unit: string;
            unknown_calls: number;
            /** Format: date-time */
            updated_at: string;
        };
        BudgetList: {
            items: components["schemas"]["Budget"][];
            next?: string;
        };
        BudgetShare: {
            key: string;
            reserved: number;
            spent: number;
            unknown_calls: number;
        };
        CalibrationCell: {
            failed: number;
            judged: number;
            passed: number;
            verdict: string;
        };
        Canary: {
            agent: string;
            /** Format: date-time */
            answered_at: string | null;
            answers: components["schemas"]["CanaryAnswer"][];
            by: string;
            /** Format: date-time */
            due: string;
            environment: string;
            every: string;
            /** Format: date-time */
            failed_at: string | null;
            finding?: string;
            model: string;
            name: string;
            /** Format: date-time */
            normal_from: string;
            off: boolean;
            prompts: string[];
            revision: number;
            rounds: number;
            rounds_needed: number;
            shifts: components["schemas"]["CanaryShift"][];
            silent_rounds: number;
            team: string;
            /** Format: date-time */
            updated_at: string;
            upstream: string;
        };
        CanaryAnswer: {
            /** Format: date-time */
            at: string;
            decision?: string;
            error?: string;
            fingerprint?: string;
            finish?: string;
            input_tokens: number | null;
            model?: string;
            output_tokens: number | null;
            prompt: string;
            text?: string;
            took_ms: number;
        };
        CanaryList: {
            items: components["schemas"]["Canary"][];
            next?: string;
        };
        CanaryReasonRequest: {
            reason: string;
        };
        CanaryShift: {
            chance: number;
            distance: number;
            feature: string;
            text: string;
        };
        Change: {
            after?: unknown;
            agent?: string;
            agent_reason?: string;
            /** Format: date-time */
            at: string;
            before?: unknown;
            by?: string;
            /** Format: date-time */
            ended_at?: string | null;
            environment?: string;
            id: string;
            key: string;
            kind: string;
            labels?: {
                [key: string]: string;
            };
            /** Format: date-time */
            received_at: string;
            source: string;
            status?: string;
            team?: string;
            text?: string;
            title: string;
            url?: string;
            version?: string;
        };
        ChangeGroup: {
            action: string;
            agent: string;
            becomes: string;
            count: number;
            examples: string[];
            /** Format: date-time */
            first: string;
            /** Format: date-time */
            last: string;
            reason: components["schemas"]["Reason"];
            resource: string;
            team: string;
            was: string;
        };
        ChangeIncidentTaskRequest: {
            approve?: boolean;
            done?: boolean | null;
            /** Format: date-time */
            due_at?: string | null;
            owner?: string | null;
            result?: string;
        };
        ChangeList: {
            items: components["schemas"]["Change"][];
            next?: string;
        };
        Channel: {
            answers?: string;
            incidents?: string;
            keyed: boolean;
            kind: string;
            name: string;
            off: boolean;
            revision: number;
            settings: components["schemas"]["ChannelSettings"];
            team?: string;
            /** Format: date-time */
            updated_at: string;
        };
        ChannelKind: {
            address?: string;
            keyed: boolean;
            name: string;
            title: string;
        };
        ChannelKindList: {
            items: components["schemas"]["ChannelKind"][];
            next?: string;
        };
        ChannelList: {
            items: components["schemas"]["Channel"][];
            next?: string;
        };
        ChannelSettings: {
            channel?: string;
            from?: string;
            insecure?: boolean;
            signing: boolean;
            url?: string;
            user?: string;
        };
        ChannelState: {
            /** Format: date-time */
            arrived_at: string;
            /** Format: date-time */
            at: string;
            by?: string;
            object: string;
            outcome: string;
            state: string;
            text?: string;
            to?: string;
        };
        ChannelStateList: {
            items: components["schemas"]["ChannelState"][];
            next?: string;
        };
        ChartPoint: {
            /** Format: date-time */
            at: string;
            n: number;
            value: number | null;
        };
        ChatMessage: {
            content: string;
            role: string;
        };
        CheckAnswer: {
            enforced: boolean;
            floor: string;
            hint?: string;
            hold: components["schemas"]["HoldGroup"][];
            limits: components["schemas"]["PolicyRate"][];
            policies: components["schemas"]["PolicyRef"][];
            policy_version: number;
            reasons: components["schemas"]["Reason"][];
            redact: string[];
            text: string;
            verdict: string;
            would: string;
        };
        CheckArgs: {
            flag?: {
                [key: string]: boolean;
            };
            int?: {
                [key: string]: number;
            };
            number?: {
                [key: string]: string;
            };
            text?: {
                [key: string]: string[];
            };
        };
        CheckBudget: {
            calls?: number | null;
            money?: number | null;
            tokens?: number | null;
        };
        CheckContext: {
            address?: string;
            args?: components["schemas"]["CheckArgs"] | null;
            bound?: boolean;
            budget?: components["schemas"]["CheckBudget"] | null;
            chain?: string[];
            classes?: string[];
            credential?: string;
            destinations?: components["schemas"]["CheckDestinations"] | null;
            findings?: string[];
            fresh?: boolean | null;
            instance?: string;
            model?: components["schemas"]["CheckModel"] | null;
            /** Format: date-time */
            now?: string | null;
            taint?: components["schemas"]["CheckTaint"] | null;
            user?: string;
            user_active?: boolean | null;
            user_directory?: string;
            user_groups?: string[];
            user_teams?: string[];
            version?: string;
            version_approved?: boolean | null;
        };
        CheckDestinations: {
            all?: string[];
            domains?: string[];
            external?: boolean;
            first_seen?: string[];
            injected?: string[];
        };
        CheckModel: {
            hosted_tools?: string[];
            max_output?: number;
            tools?: string[];
        };
        CheckRequest: {
            action: string;
            agent: string;
            context?: components["schemas"]["CheckContext"] | null;
            policies?: components["schemas"]["ProposedPolicy"][];
            resource: string;
        };
        CheckTaint: {
            classes?: string[];
            sources?: string[];
            untrusted?: boolean;
            upstreams?: string[];
        };
        CloseAlertRequest: {
            reason: string;
        };
        CodeRequest: {
            code: string;
        };
        CompleteDecisionRequest: {
            duration_ms?: number;
            error?: string;
            output?: unknown;
            result: string;
        };
        CompletedDecision: {
            id: string;
            result: string;
        };
        ComplianceAssessment: {
            /** Format: date-time */
            at: string;
            by: string;
            controls: components["schemas"]["ComplianceControl"][];
            custom: boolean;
            fail: number;
            framework: string;
            /** Format: date-time */
            from: string;
            id: string;
            mapping_sha256: string;
            pass: number;
            title: string;
            /** Format: date-time */
            to: string;
            unknown: number;
            version: number;
        };
        ComplianceAssessmentList: {
            items: components["schemas"]["ComplianceAssessment"][];
            next?: string;
        };
        ComplianceControl: {
            about: string;
            article: string;
            evidence: components["schemas"]["ComplianceEvidence"][];
            id: string;
            result: string;
            title: string;
        };
        ComplianceEvidence: {
            /** Format: date-time */
            as_of: string | null;
            asks: string;
            at_least: number | null;
            at_most: number | null;
            id: string;
            records: number;
            result: string;
            search?: string;
            table?: string;
            text: string;
            title: string;
            value: number | null;
        };
        ComplianceFramework: {
            about: string;
            controls: number;
            custom: boolean;
            every_days: number;
            id: string;
            last: components["schemas"]["ComplianceAssessment"] | null;
            mapping?: string;
            /** Format: date-time */
            next: string | null;
            revision: number;
            source: string;
            title: string;
            version: number;
        };
        ComplianceFrameworkList: {
            items: components["schemas"]["ComplianceFramework"][];
            next?: string;
        };
        CompliancePack: {
            name: string;
            zip: string;
        };
        ConfirmFactorRequest: {
            code: string;
        };
        ConfirmPasskeyRequest: {
            credential: unknown;
        };
        Conformance: {
            teams: components["schemas"]["TeamConformance"][];
            version: string;
        };
        ConnectProgress: {
            agent: string;
            decision: components["schemas"]["Decision"] | null;
            dialects: string[];
            /** Format: date-time */
            key_used_at: string | null;
            missing: components["schemas"]["LintFinding"][];
            others: string[];
            run: components["schemas"]["Run"] | null;
            score: number | null;
        };
        ConnectRequest: {
            agent: string;
            environment: string;
            expires_in?: string;
            host?: string;
            team: string;
        };
        ConnectUpstreamRequest: {
            anywhere?: boolean;
        };
        ConnectedAgent: {
            agent: string;
            agent_key: components["schemas"]["AgentKey"] | null;
            framework: components["schemas"]["Framework"];
            intake_key: components["schemas"]["IntakeKey"] | null;
            registered: boolean;
            /** Format: date-time */
            since: string;
        };
        Connection: {
            client?: string;
            client_auth?: string;
            client_id?: string;
            code?: string;
            /** Format: date-time */
            connected_at: string | null;
            connected_by?: string;
            error?: string;
            /** Format: date-time */
            expires_at: string | null;
            grant: string;
            issuer?: string;
            missing?: string[];
            redirect?: string;
            renews: boolean;
            resource?: string;
            scopes?: string[];
            state: string;
        };
        ConnectionAttempt: {
            authorization_url?: string;
            connection: components["schemas"]["Connection"];
            /** Format: date-time */
            expires_at: string | null;
        };
        Contact: {
            address?: string;
            channel: string;
        };
        Contacts: {
            items: components["schemas"]["Contact"][];
            person: string;
        };
        ContainAgentRequest: {
            containment: string;
            reason: string;
            /** Format: date-time */
            until?: string | null;
        };
        ContentFound: {
            action: string;
            class: string;
            end: number;
            rule?: string;
            start: number;
        };
        ContentRule: {
            action: string;
            agent?: string;
            classes: string[];
            direction: string;
            environment?: string;
            name: string;
            pattern?: string;
            reason: string;
            revision: number;
            team?: string;
            /** Format: date-time */
            updated_at: string;
        };
        ContentRuleList: {
            items: components["schemas"]["ContentRule"][];
            next?: string;
        };
        Cost: {
            amount: number | null;
            basis: string;
            currency?: string;
            price?: string;
        };
        CostAnomaly: {
            agent: string;
            /** Format: date-time */
            at: string;
            detector: string;
            id: string;
            open: boolean;
            severity: string;
            text: string;
        };
        CostBudget: {
            chance: number | null;
            expected: number | null;
            hard: boolean;
            limit: number;
            match: string;
            name: string;
            scope: string;
            spent: number;
        };
        CostCentre: {
            agent?: string;
            centre: string;
            environment?: string;
            team?: string;
        };
        CostFile: {
            currency: string;
            name: string;
            rows: number;
            text: string;
            total: number;
            type: string;
            unpriced: number;
        };
        CostForecast: {
            anomalies: components["schemas"]["CostAnomaly"][];
            budgets: components["schemas"]["CostBudget"][];
            currency: string;
            days: number;
            expected: number | null;
            /** Format: date-time */
            from: string;
            high: number | null;
            low: number | null;
            method: string;
            spent: number;
            /** Format: date-time */
            to: string;
            unpriced: number;
            why?: string;
        };
        CostLine: {
            /** Format: date-time */
            at: string | null;
            calls: number;
            cost: number | null;
            name: string;
            parts?: {
                [key: string]: string;
            };
            people_cost: number | null;
            people_minutes: number;
            records?: string;
            share: number | null;
            tokens: number | null;
            unpriced: number;
        };
        CostRate: {
            currency: string;
            dollars: number;
            from: string;
        };
        CostReport: {
            channel?: string;
            day?: number;
            /** Format: date-time */
            last_at?: string | null;
            last_month?: string;
            /** Format: date-time */
            next_at?: string | null;
            to?: string[];
        };
        CostSettings: {
            /** Format: date-time */
            at: string | null;
            by?: string;
            centres: components["schemas"]["CostCentre"][];
            currency: string;
            people_hour: number;
            rates: components["schemas"]["CostRate"][];
            report: components["schemas"]["CostReport"];
            revision: number;
            zone: string;
        };
        CostSplit: {
            by: string;
            currency: string;
            /** Format: date-time */
            from: string;
            lines: components["schemas"]["CostLine"][];
            more: number;
            rest: components["schemas"]["CostLine"] | null;
            /** Format: date-time */
            to: string;
            total: components["schemas"]["CostLine"];
            unallocated: number | null;
            zone: string;
        };
        Coverage: {
            flags?: string[];
            model_calls: number;
            root_seen: boolean;
            unknown_cost_calls: number;
            unknown_usage_calls: number;
        };
        CreateAgentKeyRequest: {
            expires_in?: string;
            label: string;
            networks?: string[];
        };
        CreateAgentRequest: {
            aliases?: components["schemas"]["AgentAlias"][];
            autonomy?: string;
            content?: string;
            data_classes?: string[];
            enforcement?: string;
            environment?: string;
            kind?: string;
            labels?: {
                [key: string]: string;
            };
            lifecycle?: string;
            mode?: string;
            name: string;
            owner?: string;
            purpose: string;
            reason?: string;
            sponsor?: string;
            task?: string;
            team: string;
        };
        CreateAgentSVIDRequest: {
            csr: string;
        };
        CreateChangeRequest: {
            after?: unknown;
            agent?: string;
            /** Format: date-time */
            at?: string | null;
            before?: unknown;
            by?: string;
            environment?: string;
            key?: string;
            kind: string;
            labels?: {
                [key: string]: string;
            };
            status?: string;
            team?: string;
            text?: string;
            title: string;
            url?: string;
            version?: string;
        };
        CreateFeedbackLinkRequest: {
            environment?: string;
            expires?: string;
            join_key?: string;
            question?: string;
            run?: string;
            run_key?: string;
            session?: string;
            step?: string;
            team?: string;
            trace?: string;
            user?: string;
        };
        CreateFeedbackRequest: {
            /** Format: date-time */
            at?: string | null;
            comment?: string;
            consent?: boolean | null;
            contact?: string;
            environment?: string;
            giver?: string;
            join_key?: string;
            key?: string;
            kind?: string;
            label?: string;
            max?: number;
            min?: number;
            name?: string;
            removed?: boolean;
            run?: string;
            run_key?: string;
            session?: string;
            step?: string;
            team?: string;
            trace?: string;
            user?: string;
            value?: number | null;
        };
        CreateIntakeKeyRequest: {
            bytes_per_second?: number;
            environment: string;
            expires_in?: string;
            name: string;
            spans_per_second?: number;
            team: string;
        };
        CreateJoinTokenRequest: {
            expires_in?: string;
            label?: string;
        };
        CreateLessonRequest: {
            agents?: string[];
            environment?: string;
            /** Format: date-time */
            expires_at: string;
            incident?: string;
            measure?: string;
            owner: string;
            team?: string;
            text: string;
            title: string;
        };
        CreatePersonRequest: {
            email?: string;
            full_name?: string;
            grants?: components["schemas"]["Grant"][];
            name: string;
            password: string;
            teams?: string[];
        };
        CreateSilenceRequest: {
            /** Format: date-time */
            ends_at: string;
            kind: string;
            matchers: components["schemas"]["SilenceMatcher"][];
            reason: string;
            /** Format: date-time */
            starts_at?: string | null;
            team?: string;
        };
        CreateStopRequest: {
            reason: string;
            target: components["schemas"]["StopTarget"];
            /** Format: date-time */
            until?: string | null;
        };
        CreateTeamRequest: {
            channel?: string;
            name: string;
        };
        CreateTokenRequest: {
            expires_in?: string;
            grants?: components["schemas"]["Grant"][];
            kind?: string;
            name: string;
        };
        CreateWorkloadRequest: {
            cgroup?: string;
            exe?: string;
            expires_in?: string;
            parent_pid?: number;
            parent_start?: number;
            uid?: number | null;
        };
        Credential: {
            header?: string;
            kind: string;
            oauth?: components["schemas"]["OAuth"] | null;
            ref?: string;
            region?: string;
            set: boolean;
            source: string;
            user?: string;
            value?: string;
        };
        CutCall: {
            agent: string;
            bytes_out: number;
            cut_ms: number;
            decision_id: string;
            resource: string;
            run_id?: string;
            /** Format: date-time */
            started_at: string;
        };
        Dataset: {
            about?: string;
            basis?: string;
            environment?: string;
            items: number;
            name: string;
            team?: string;
            /** Format: date-time */
            updated_at: string;
            version: number;
        };
        DatasetExport: {
            /** Format: date-time */
            at: string;
            by?: string;
            content?: string;
            dataset: string;
            format: string;
            id: string;
            items: number;
            left?: {
                [key: string]: number;
            };
            reason: string;
            sha256: string;
            version: number;
            withdrawn: number;
        };
        DatasetExportList: {
            items: components["schemas"]["DatasetExport"][];
            next?: string;
        };
        DatasetItem: {
            absent: string[];
            added: number;
            agent?: string;
            agent_version?: string;
            answer?: string;
            /** Format: date-time */
            at: string;
            by?: string;
            case: string;
            consent: string;
            contains: string[];
            dataset: string;
            expected?: string;
            feedback?: string;
            /** Format: date-time */
            feedback_at: string | null;
            id: string;
            input: components["schemas"]["ChatMessage"][];
            labels: string[];
            note?: string;
            redacted: string[];
            removed?: number;
            revision: number;
            run?: string;
            task?: string;
            tools: boolean;
            verdict: string;
            withdrawn: boolean;
        };
        DatasetItemList: {
            items: components["schemas"]["DatasetItem"][];
            next?: string;
        };
        DatasetList: {
            items: components["schemas"]["Dataset"][];
            next?: string;
        };
        DecideObjectiveProposalRequest: {
            reason?: string;
        };
        DecideOutcomeRequest: {
            outcome: string;
            reason: string;
        };
        DecideRequest: {
            agent?: string;
            arguments?: unknown;
            call_id?: string;
            key?: string;
            obligations?: string[];
            run?: string;
            session?: string;
            tool: string;
            traceparent?: string;
            unreported?: boolean;
            user?: string;
            wait_ms?: number;
        };
        Decision: {
            action: string;
            agent: string;
            approval_id?: string;
            arguments_hash?: string;
            /** Format: date-time */
            at: string;
            autonomy?: string;
            bound: boolean;
            bytes_in: number;
            bytes_out: number;
            /** Format: date-time */
            completed_at: string | null;
            containment?: string;
            context?: unknown;
            cost: components["schemas"]["Cost"];
            credential?: string;
            credential_id?: string;
            decide_us: number | null;
            effect?: string;
            end_seq: number | null;
            enforced: boolean;
            environment?: string;
            error_code?: string;
            floor: string;
            id: string;
            instance?: string;
            latency_us: number | null;
            lifecycle?: string;
            local_tool: boolean;
            model?: string;
            node: string;
            on_behalf_of: string[];
            origins?: components["schemas"]["Origin"][];
            parent_id?: string;
            pin?: string;
            point?: string;
            policies: components["schemas"]["PolicyRef"][];
            policy_version: number;
            reasons: components["schemas"]["Reason"][];
            redacted?: string[];
            registered: boolean;
            reserved: components["schemas"]["Reserve"][];
            resource: string;
            result: string;
            run_id?: string;
            seq: number | null;
            session?: string;
            span_id?: string;
            status?: number;
            step_id?: string;
            team?: string;
            tool?: string;
            trace_id?: string;
            upstream?: string;
            upstream_us: number | null;
            usage: components["schemas"]["Usage"];
            user?: string;
            user_name?: string;
            verdict: string;
            version?: string;
            would: string;
        };
        DecisionAnswer: {
            approval?: components["schemas"]["AnswerApproval"] | null;
            arguments?: unknown;
            code?: string;
            enforced: boolean;
            /** Format: date-time */
            expires_at: string | null;
            forwarded: boolean;
            hint?: string;
            id: string;
            obligations: components["schemas"]["Obligation"][];
            reason: string;
            reasons: components["schemas"]["Reason"][];
            verdict: string;
            would: string;
        };
        DecisionList: {
            items: components["schemas"]["Decision"][];
            next?: string;
        };
        DecisionReceipt: {
            checkpoint: string;
            contents?: components["schemas"]["ReceiptContent"][];
            records: components["schemas"]["ReceiptRecord"][];
            v: number;
        };
        Delivery: {
            action: string;
            attempts: number;
            channel: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            done_at: string | null;
            id: string;
            key: string;
            /** Format: date-time */
            next_at: string | null;
            object: string;
            page?: string;
            person?: string;
            purpose: string;
            state: string;
            title: string;
            tries: components["schemas"]["DeliveryAttempt"][];
        };
        DeliveryAttempt: {
            /** Format: date-time */
            at: string;
            outcome: string;
            ref?: string;
            status?: number;
            text?: string;
            took_ms: number;
        };
        DeliveryList: {
            items: components["schemas"]["Delivery"][];
            next?: string;
        };
        DependedAgent: {
            agent: string;
            calls: number;
            share: number;
            team?: string;
        };
        Dependency: {
            calls: number;
            concentration: number;
            currency: string;
            even: number;
            /** Format: date-time */
            from: string;
            models: components["schemas"]["DependencyShare"][];
            providers: components["schemas"]["DependencyShare"][];
            regions: components["schemas"]["DependencyShare"][];
            /** Format: date-time */
            to: string;
        };
        DependencyShare: {
            agents: components["schemas"]["DependedAgent"][];
            calls: number;
            cost: number | null;
            daily_calls: number;
            /** Format: date-time */
            deprecated: string | null;
            fallbacks: string[];
            name: string;
            provider?: string;
            runs: number;
            share: number;
            unpriced: number;
            users: number;
        };
        Detector: {
            about: string;
            adjusted: components["schemas"]["DetectorLearned"][];
            agents: components["schemas"]["DetectorSetting"][];
            fixed: boolean;
            name: string;
            noise: number;
            open: number;
            precision: number | null;
            setting: components["schemas"]["DetectorSetting"];
            title: string;
            unit?: string;
            useful: number;
        };
        DetectorLearned: {
            agent: string;
            allowed: number;
            minimum_effect: number;
            noise: number;
            set: number;
            useful: number;
        };
        DetectorList: {
            items: components["schemas"]["Detector"][];
            next?: string;
        };
        DetectorSetting: {
            agent?: string;
            alarms_per_week: number;
            /** Format: date-time */
            at: string | null;
            by?: string;
            minimum_effect: number;
            off: boolean;
            reason?: string;
            rest: string;
            revision: number;
            severity: string;
        };
        Deviation: {
            high?: number | null;
            kind: string;
            low?: number | null;
            measure: string;
            n: number;
            name: string;
            previous: number | null;
            previous_n: number;
            query: string;
            text: string;
            value: number | null;
            worse: boolean;
        };
        Difference: {
            effect: number;
            high: number;
            lift: number;
            low: number;
            name: string;
            p: number;
            rest: number;
            rest_share: number;
            selected: number;
            share: number;
            value: string;
        };
        Different: {
            items: components["schemas"]["Difference"][];
            measures: components["schemas"]["DifferentMeasure"][];
            rest: number;
            selected: number;
            truncated: boolean;
            unread: string[];
        };
        DifferentMeasure: {
            clear: boolean;
            median: number | null;
            name: string;
            p: number;
            p95: number | null;
            rest: number;
            rest_median: number | null;
            rest_p95: number | null;
            selected: number;
        };
        DifferentRequest: {
            from?: string;
            limit?: number;
            query?: string;
            runs?: string[];
            selected_from?: string;
            selected_to?: string;
            selection?: string;
            to?: string;
        };
        DocumentUse: {
            age_ms: number | null;
            id: string;
            newer?: string;
            /** Format: date-time */
            newer_at?: string | null;
            sentence: string;
            version: string;
        };
        Drill: {
            agent: string;
            at?: string;
            by?: string;
            dataset?: string;
            environment: string;
            evaluators: string[];
            every?: string;
            failing: boolean;
            fallbacks: string[];
            history?: components["schemas"]["DrillRun"][];
            /** Format: date-time */
            last_at: string | null;
            least: number;
            /** Format: date-time */
            made_at: string;
            model?: string;
            name: string;
            needs: number;
            /** Format: date-time */
            next_at: string | null;
            paused: boolean;
            result: components["schemas"]["DrillRun"] | null;
            revision: number;
            running?: string;
            runs?: number;
            team: string;
            tolerance: number;
            trouble?: string;
            upstream: string;
            zone?: string;
        };
        DrillList: {
            items: components["schemas"]["Drill"][];
            next?: string;
        };
        DrillLost: {
            item: string;
            run?: string;
            why?: string;
        };
        DrillResult: {
            answered: components["schemas"]["Share"];
            before: components["schemas"]["Share"];
            cases: number;
            compared: number;
            cost_before: number | null;
            cost_growth: components["schemas"]["Interval"];
            cost_now: number | null;
            lost: components["schemas"]["DrillLost"][];
            now: components["schemas"]["Share"];
            only_before: number;
            only_now: number;
            priced: number;
            quality: components["schemas"]["Interval"];
            says: string;
            served: string[];
            slow_now: number | null;
            took_before: number | null;
            took_now: number | null;
            unclear: number;
            untouched: number;
            verdict: string;
        };
        DrillRun: {
            agent_version?: string;
            /** Format: date-time */
            at: string;
            by?: string;
            came: components["schemas"]["DrillResult"] | null;
            experiment: string;
            state: string;
            why?: string;
        };
        EditApprovalRequest: {
            edits?: components["schemas"]["ArgumentEdit"][];
            hash: string;
            reason?: string;
            whole?: string | null;
        };
        EndSilenceRequest: {
            reason?: string;
        };
        EnforceAnswer: {
            enforced: boolean;
            simulation: components["schemas"]["Simulation"] | null;
        };
        EnforceRequest: {
            days?: number;
            preview?: boolean;
            reason?: string;
            simulation?: string;
        };
        Enrolment: {
            factor: components["schemas"]["Factor"];
            image: string;
            secret: string;
            uri: string;
        };
        Entitlement: {
            guardrail: boolean;
            mode: string;
            policy: string;
            statements: string[];
            team?: string;
        };
        EraseFeedbackRequest: {
            id?: string;
            reason: string;
            team?: string;
            user?: string;
        };
        ErasePersonRequest: {
            dry_run?: boolean;
            reason?: string;
            run?: string;
            session?: string;
            user?: string;
        };
        EraseUserRequest: {
            reason: string;
            user: string;
        };
        ErasedFeedback: {
            cases: number;
            erased: number;
            exports: components["schemas"]["DatasetExport"][];
        };
        ErasedUser: {
            cases: number;
            exports: components["schemas"]["DatasetExport"][];
            pseudonyms: string[];
            records: number;
        };
        Erasure: {
            /** Format: date-time */
            at: string;
            by?: string;
            dry_run: boolean;
            id?: string;
            of: string;
            parts: components["schemas"]["ErasurePart"][];
            reason?: string;
            text: string;
            whole: boolean;
        };
        ErasureList: {
            items: components["schemas"]["Erasure"][];
            next?: string;
        };
        ErasurePart: {
            erased: number | null;
            error?: string;
            holds: number | null;
            left: number;
            note?: string;
            part: string;
        };
        EscalationLevel: {
            after: string;
            channels?: string[];
            people?: string[];
            schedules?: string[];
        };
        EscalationPolicy: {
            for?: string;
            levels: components["schemas"]["EscalationLevel"][];
            name: string;
            repeat: number;
            revision: number;
            team?: string;
            /** Format: date-time */
            updated_at: string;
        };
        EscalationPolicyList: {
            items: components["schemas"]["EscalationPolicy"][];
            next?: string;
        };
        Evaluation: {
            agent?: string;
            /** Format: date-time */
            at: string;
            by?: string;
            cost_usd: number | null;
            environment?: string;
            evaluator: string;
            id: string;
            judge_decision?: string;
            judge_run?: string;
            kind: string;
            marks: components["schemas"]["EvaluationMark"][];
            revision: number;
            run: string;
            score: number | null;
            source: string;
            team?: string;
            text: string;
            tokens?: number;
            took_us: number;
            verdict: string;
            version?: string;
        };
        EvaluationAgreement: {
            agree: components["schemas"]["Share"];
            evaluator: string;
            kappa: number | null;
            missed_bad: number;
            n: number;
            with: string;
            wrong_bad: number;
        };
        EvaluationFigures: {
            agent: string;
            environment?: string;
            evaluator: string;
            fail: number;
            none: number;
            pass: number;
            passed: components["schemas"]["Share"];
            score: number | null;
            team?: string;
            unsure: number;
            version: string;
        };
        EvaluationList: {
            items: components["schemas"]["Evaluation"][];
            next?: string;
        };
        EvaluationMark: {
            document?: string;
            end: number;
            evidence?: string;
            good: boolean;
            says: string;
            start: number;
            step?: string;
            text: string;
        };
        EvaluationSummary: {
            agreements: components["schemas"]["EvaluationAgreement"][];
            calibrations: components["schemas"]["EvaluatorCalibration"][];
            figures: components["schemas"]["EvaluationFigures"][];
            /** Format: date-time */
            from: string;
            refused?: components["schemas"]["JudgeRefusal"] | null;
            /** Format: date-time */
            to: string;
        };
        Evaluator: {
            agents: string[];
            environment?: string;
            judge?: components["schemas"]["Judge"] | null;
            kind: string;
            name: string;
            off: boolean;
            revision: number;
            rules?: {
                [key: string]: string;
            };
            schema?: unknown;
            share: number;
            team?: string;
            /** Format: date-time */
            updated_at: string;
            when?: string;
        };
        EvaluatorCalibration: {
            beside: components["schemas"]["CalibrationCell"][];
            corrected: components["schemas"]["Interval"];
            cost_unknown: number;
            cost_usd: number | null;
            evaluator: string;
            judged: number;
            kappa: components["schemas"]["Interval"];
            kind: string;
            labelled: number;
            passed: components["schemas"]["Share"];
            revision: number;
            tokens: number;
        };
        EvaluatorList: {
            items: components["schemas"]["Evaluator"][];
            next?: string;
        };
        EvaluatorTrial: {
            cost_unknown: number;
            cost_usd: number | null;
            fail: number;
            gone: number;
            items: components["schemas"]["Evaluation"][];
            none: number;
            pass: number;
            passed: components["schemas"]["Share"];
            refused?: components["schemas"]["JudgeRefusal"] | null;
            tokens: number;
            unsure: number;
        };
        Experiment: {
            adverse?: boolean;
            against?: components["schemas"]["PairedResult"] | null;
            agent: string;
            agent_version?: string;
            /** Format: date-time */
            at: string;
            baseline?: string;
            bias?: components["schemas"]["BiasPairs"] | null;
            by?: string;
            dataset?: string;
            dataset_version?: number;
            /** Format: date-time */
            ended_at: string | null;
            environment: string;
            evaluators: string[];
            four_fifths?: components["schemas"]["Interval"] | null;
            group_a?: components["schemas"]["Share"] | null;
            group_b?: components["schemas"]["Share"] | null;
            id: string;
            invalid: number;
            kind: string;
            note?: string;
            pairs?: components["schemas"]["PairedResult"] | null;
            pass_hat: number[];
            passed: components["schemas"]["Share"];
            plan?: string;
            proof?: components["schemas"]["Proof"] | null;
            proves?: components["schemas"]["ProofResult"] | null;
            ran: number;
            repeats: number;
            results?: components["schemas"]["ExperimentResult"][];
            says?: string;
            state: string;
            tasks: number;
            team: string;
            why?: string;
        };
        ExperimentCheck: {
            name: string;
            text?: string;
            verdict: string;
        };
        ExperimentList: {
            items: components["schemas"]["Experiment"][];
            next?: string;
        };
        ExperimentResult: {
            answer?: string;
            /** Format: date-time */
            at: string;
            calls: number;
            checks: components["schemas"]["ExperimentCheck"][];
            forgotten?: boolean;
            group?: string;
            item: string;
            pair?: string;
            passed: boolean;
            refused: string[];
            repeat: number;
            run: string;
            run_id?: string;
            took_ms: number;
            valid: boolean;
            why?: string;
        };
        ExportDatasetRequest: {
            format: string;
            reason: string;
            version?: number;
        };
        Factor: {
            confirmed: boolean;
            /** Format: date-time */
            created_at: string;
            id: string;
            kind: string;
            label: string;
            /** Format: date-time */
            last_used: string | null;
        };
        Factors: {
            items: components["schemas"]["Factor"][];
            recovery_codes_left: number;
        };
        FalseAlarmRequest: {
            reason: string;
        };
        Feedback: {
            about: components["schemas"]["FeedbackAbout"];
            agent?: string;
            /** Format: date-time */
            at: string;
            comment?: string;
            consent: boolean | null;
            contact: boolean;
            environment?: string;
            erased: boolean;
            failed: boolean | null;
            giver: string;
            has_comment: boolean;
            id: string;
            /** Format: date-time */
            joined_at: string | null;
            joined_by?: string;
            kind: string;
            label?: string;
            max: number;
            min: number;
            name?: string;
            /** Format: date-time */
            received_at: string;
            redacted: string[];
            removed: boolean;
            run?: string;
            session?: string;
            source: string;
            status: components["schemas"]["FeedbackStatus"] | null;
            task?: string;
            team?: string;
            times: number;
            told: components["schemas"]["FeedbackTelling"][];
            user?: string;
            value: number | null;
            verdict: string;
            verified: boolean;
            version?: string;
            /** Format: date-time */
            watched_till: string | null;
        };
        FeedbackAbout: {
            join_key?: string;
            run?: string;
            run_key?: string;
            session?: string;
            step?: string;
            trace?: string;
        };
        FeedbackBucket: {
            /** Format: date-time */
            at: string;
            negative: number;
            neutral: number;
            positive: number;
        };
        FeedbackFigures: {
            adjusted: number | null;
            answered: number;
            best: number | null;
            failed_all: number | null;
            failed_answered: number | null;
            negative: number;
            neutral: number;
            other: number;
            positive: number;
            response_rate: components["schemas"]["Share"];
            runs: number;
            satisfaction: components["schemas"]["Share"];
            worst: number | null;
        };
        FeedbackForm: {
            environment?: string;
            key: string;
            name: string;
            origins: string[];
            question?: string;
            revision: number;
            snippet: string;
            team?: string;
            ticket: boolean;
        };
        FeedbackFormList: {
            items: components["schemas"]["FeedbackForm"][];
            next?: string;
        };
        FeedbackKey: {
            environment?: string;
            key: string;
            run: string;
            team?: string;
        };
        FeedbackLink: {
            down: string;
            /** Format: date-time */
            expires_at: string;
            ticket: string;
            up: string;
            url: string;
        };
        FeedbackList: {
            items: components["schemas"]["Feedback"][];
            next?: string;
        };
        FeedbackPattern: {
            diff: components["schemas"]["Interval"];
            found: boolean;
            kind: string;
            name?: string;
            others: string[];
            p: number;
            runs: string[];
            search: string;
            then?: string;
            with: components["schemas"]["Share"];
            without: components["schemas"]["Share"];
        };
        FeedbackPatterns: {
            agent: string;
            cut: number;
            found: number;
            /** Format: date-time */
            from: string;
            items: components["schemas"]["FeedbackPattern"][];
            least: number;
            left: number;
            more: boolean;
            possible: string;
            runs: number;
            says: string;
            tested: number;
            /** Format: date-time */
            to: string;
            unhappy: number;
            unread: number;
        };
        FeedbackStatus: {
            /** Format: date-time */
            at: string;
            by?: string;
            state: string;
            text?: string;
        };
        FeedbackSummary: {
            agents: components["schemas"]["AgentFeedback"][];
            all: components["schemas"]["FeedbackFigures"];
            /** Format: date-time */
            from: string;
            series: components["schemas"]["FeedbackBucket"][];
            themes: components["schemas"]["FeedbackTheme"][];
            /** Format: date-time */
            to: string;
            unmatched: number;
        };
        FeedbackTelling: {
            /** Format: date-time */
            at: string;
            by: string;
            text: string;
        };
        FeedbackTheme: {
            count: number;
            example: string;
            ids: string[];
            words: string;
        };
        Figure: {
            formula: string;
            high?: number | null;
            id: string;
            label: string;
            low?: number | null;
            n: number;
            previous?: number | null;
            query?: string;
            unit?: string;
            unknown?: number;
            value: number | null;
        };
        Finding: {
            agent?: string;
            authenticated: boolean;
            /** Format: date-time */
            closed_at: string | null;
            count: number;
            detector: string;
            environment?: string;
            expected?: string;
            /** Format: date-time */
            first_seen: string;
            id: string;
            incident?: string;
            lag_ms: number | null;
            /** Format: date-time */
            last_seen: string;
            measure?: string;
            path?: string;
            responses: components["schemas"]["Response"][];
            runs: string[];
            seen?: string;
            severity: string;
            steps: string[];
            subject?: string;
            task?: string;
            team?: string;
            text: string;
            verdict: components["schemas"]["FindingVerdict"] | null;
            version?: string;
            why?: string;
        };
        FindingList: {
            items: components["schemas"]["Finding"][];
            next?: string;
        };
        FindingVerdict: {
            /** Format: date-time */
            at: string;
            by: string;
            reason?: string;
            verdict: string;
        };
        FinishConnectionRequest: {
            at?: string;
            code?: string;
            error?: string;
            error_description?: string;
            iss?: string;
            state: string;
        };
        FleetAgent: {
            agent: string;
            cost: number | null;
            coverage: number | null;
            failed: number;
            /** Format: date-time */
            last_run: string | null;
            marks: components["schemas"]["Mark"][];
            p95_ms: number | null;
            path?: string;
            reason?: string;
            resolved: components["schemas"]["Figure"];
            running: number;
            runs: number;
            state: string;
            success: components["schemas"]["Figure"];
            team: string;
        };
        FleetRest: {
            agents: number;
            failed: number;
            runs: number;
        };
        FleetTeam: {
            agents: components["schemas"]["FleetAgent"][];
            more?: components["schemas"]["FleetRest"] | null;
            state: string;
            team: string;
        };
        Framework: {
            about: string;
            dialects?: string[];
            group: string;
            id: string;
            keys: string[];
            parts: components["schemas"]["SnippetPart"][];
            title: string;
            upstream?: string;
            waits: string[];
        };
        FrameworkList: {
            items: components["schemas"]["Framework"][];
            next?: string;
        };
        FreshUntil: {
            /** Format: date-time */
            until: string;
        };
        Gate: {
            agent: string;
            /** Format: date-time */
            at: string;
            cases?: components["schemas"]["GateCases"] | null;
            checks: components["schemas"]["GateCheck"][];
            dataset?: string;
            /** Format: date-time */
            from: string;
            kept?: string;
            least?: number;
            lifecycle: string;
            passed: boolean;
            records?: components["schemas"]["GateRecord"][];
            version?: string;
        };
        GateCases: {
            added: number;
            /** Format: date-time */
            approved_at: string | null;
            approved_by?: string;
            approved_cases: number;
            approved_version: number;
            cases: number;
            changed: number;
            silent: number;
            version: number;
            withdrawn: number;
        };
        GateChange: {
            case: string;
            is?: components["schemas"]["DatasetItem"] | null;
            was?: components["schemas"]["DatasetItem"] | null;
            what: string;
        };
        GateChanges: {
            dataset: string;
            items: components["schemas"]["GateChange"][];
            more: boolean;
            since: number;
            version: number;
        };
        GateCheck: {
            about?: string;
            low: number | null;
            n: number;
            name: string;
            needed: number | null;
            passed: boolean;
            run?: string;
            text: string;
            value: number | null;
        };
        GateRecord: {
            /** Format: date-time */
            at: string;
            by?: string;
            failed: string[];
            id: string;
            outcome: string;
            reason?: string;
            to: string;
            version?: string;
        };
        Grant: {
            environment: string;
            role: string;
            team: string;
        };
        HandAnswer: {
            body: string;
            content_type?: string;
            status?: number;
        };
        Health: {
            addresses: components["schemas"]["Addresses"];
            dev: boolean;
            lag_ms: number | null;
            /** Format: date-time */
            last_batch_at: string | null;
            parts: components["schemas"]["HealthPart"][];
            /** Format: date-time */
            started_at?: string | null;
            state: string;
            store_bytes: number | null;
            version?: string;
        };
        HealthPart: {
            facts?: {
                [key: string]: unknown;
            };
            name: string;
            reason: string;
            state: string;
        };
        HoldGroup: {
            count: number;
            group: string;
        };
        HoldRunRequest: {
            reason?: string;
            seconds?: number;
        };
        HoldToolRequest: {
            reason: string;
        };
        HookSecret: {
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string | null;
            id: string;
            /** Format: date-time */
            used_at: string | null;
        };
        IdleAgent: {
            agent: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            last_seen: string | null;
            lifecycle: string;
            owner: string;
            team: string;
        };
        IdleAgentList: {
            items: components["schemas"]["IdleAgent"][];
            next?: string;
        };
        ImportInvoiceRequest: {
            format?: string;
            name: string;
            rate?: number;
            text: string;
        };
        Incident: {
            /** Format: date-time */
            acknowledged_at: string | null;
            acknowledged_by?: string;
            agents: string[];
            cause: components["schemas"]["IncidentNode"] | null;
            cause_text?: string;
            communications?: string;
            environment?: string;
            firing: number;
            id: string;
            kind?: string;
            /** Format: date-time */
            last_at: string;
            lead?: string;
            manual: boolean;
            merged_into?: string;
            /** Format: date-time */
            mitigated_at: string | null;
            nodes: components["schemas"]["IncidentNode"][];
            number: number;
            occurrences: number;
            /** Format: date-time */
            opened_at: string;
            owner?: string;
            people: number | null;
            places: components["schemas"]["IncidentPlace"][];
            /** Format: date-time */
            quiet_at: string | null;
            /** Format: date-time */
            resolved_at: string | null;
            /** Format: date-time */
            reviewed_at: string | null;
            revision: number;
            runs: number;
            severity: string;
            signals: number;
            state: string;
            team?: string;
            title: string;
        };
        IncidentAct: {
            /** Format: date-time */
            at: string;
            id: string;
            kind: string;
            level?: string;
            person: string;
            reason?: string;
            result?: string;
            state: string;
            target: string;
            text: string;
            /** Format: date-time */
            undone_at: string | null;
            undone_by?: string;
            /** Format: date-time */
            until: string | null;
        };
        IncidentActRequest: {
            kind: string;
            level?: string;
            message?: string;
            reason?: string;
            target: string;
            /** Format: date-time */
            until?: string | null;
        };
        IncidentDetail: {
            /** Format: date-time */
            acknowledged_at: string | null;
            acknowledged_by?: string;
            acts: components["schemas"]["IncidentAct"][];
            agents: string[];
            cause: components["schemas"]["IncidentNode"] | null;
            cause_text?: string;
            communications?: string;
            environment?: string;
            firing: number;
            id: string;
            kind?: string;
            /** Format: date-time */
            last_at: string;
            lead?: string;
            manual: boolean;
            members: components["schemas"]["IncidentSignal"][];
            merged_into?: string;
            /** Format: date-time */
            mitigated_at: string | null;
            moves: components["schemas"]["IncidentMove"][];
            nodes: components["schemas"]["IncidentNode"][];
            number: number;
            occurrences: number;
            /** Format: date-time */
            opened_at: string;
            owner?: string;
            people: number | null;
            places: components["schemas"]["IncidentPlace"][];
            playbook: string[];
            /** Format: date-time */
            quiet_at: string | null;
            reach: components["schemas"]["IncidentReach"] | null;
            /** Format: date-time */
            resolved_at: string | null;
            /** Format: date-time */
            reviewed_at: string | null;
            revision: number;
            runs: number;
            severity: string;
            signals: number;
            state: string;
            tasks: components["schemas"]["IncidentTask"][];
            team?: string;
            timeline: components["schemas"]["IncidentEntry"][];
            title: string;
        };
        IncidentEntry: {
            /** Format: date-time */
            at: string;
            detail?: string;
            evidence: components["schemas"]["IncidentEvidence"] | null;
            kind: string;
            person?: string;
            text: string;
        };
        IncidentEntryList: {
            items: components["schemas"]["IncidentEntry"][];
            next?: string;
        };
        IncidentEvidence: {
            id: string;
            kind: string;
        };
        IncidentList: {
            items: components["schemas"]["Incident"][];
            next?: string;
        };
        IncidentMove: {
            /** Format: date-time */
            at: string;
            id: string;
            kind: string;
            person?: string;
            reason?: string;
            reasons: components["schemas"]["IncidentReason"][];
            signals: number;
            source: string;
            target: string;
            /** Format: date-time */
            undone_at: string | null;
            undone_by?: string;
            weights?: number;
        };
        IncidentNode: {
            kind: string;
            value: string;
        };
        IncidentNoteRequest: {
            note?: string;
        };
        IncidentOffer: {
            kind: string;
            level?: string;
            target: string;
            text: string;
            why?: string;
        };
        IncidentOfferList: {
            items: components["schemas"]["IncidentOffer"][];
            next?: string;
        };
        IncidentPlace: {
            environment?: string;
            team?: string;
        };
        IncidentPreview: {
            draft?: string;
            hits: string[];
            needs?: string;
            second?: boolean;
            text: string;
            undo: string;
        };
        IncidentReach: {
            /** Format: date-time */
            from: string;
            q: string;
            /** Format: date-time */
            to: string;
        };
        IncidentReason: {
            rule: string;
            text: string;
            weight: number;
        };
        IncidentRecord: {
            action: string;
            agent: string;
            /** Format: date-time */
            at: string;
            decision?: string;
            effect?: string;
            outcome?: string;
            run: string;
            step?: string;
            target?: string;
            user?: string;
        };
        IncidentRecordList: {
            items: components["schemas"]["IncidentRecord"][];
            next?: string;
        };
        IncidentReview: {
            author?: string;
            incident: string;
            number: number;
            revision: number;
            state: string;
            text: string;
            /** Format: date-time */
            updated_at: string;
        };
        IncidentReviewPDF: {
            name: string;
            pdf: string;
        };
        IncidentSignal: {
            agent?: string;
            by?: string;
            claimed?: boolean;
            count: number;
            environment?: string;
            fingerprint: string;
            firing: boolean;
            /** Format: date-time */
            first_at: string;
            id: string;
            kind: string;
            labels?: {
                [key: string]: string;
            };
            /** Format: date-time */
            last_at: string;
            model?: string;
            policy?: string;
            provider?: string;
            reasons: components["schemas"]["IncidentReason"][];
            run?: string;
            score: number;
            severity: string;
            source?: string;
            team?: string;
            text?: string;
            title: string;
            tool?: string;
            version?: string;
        };
        IncidentTask: {
            approved_by?: string;
            by: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            done_at: string | null;
            done_by?: string;
            /** Format: date-time */
            due_at: string | null;
            evidence: components["schemas"]["IncidentEvidence"] | null;
            id: string;
            incident: string;
            kind: string;
            number?: number;
            owner?: string;
            result?: string;
            text: string;
            title?: string;
        };
        IncidentTaskList: {
            items: components["schemas"]["IncidentTask"][];
            next?: string;
        };
        IncidentWeight: {
            default: number;
            rule: string;
            text: string;
            weight: number;
        };
        IncidentWeightChange: {
            after: number;
            before: number;
            rule: string;
        };
        IncidentWeights: {
            history: components["schemas"]["IncidentWeightsRevision"][];
            threshold: number;
            weights: components["schemas"]["IncidentWeight"][];
        };
        IncidentWeightsRevision: {
            /** Format: date-time */
            at: string;
            changes: components["schemas"]["IncidentWeightChange"][];
            incident?: string;
            person: string;
            reverts?: number;
            revision: number;
            why: string;
        };
        IncidentWhy: {
            blast: components["schemas"]["WhyBlast"] | null;
            causes: components["schemas"]["WhyCause"][];
            incident: string;
            known: boolean;
            links: components["schemas"]["WhyLink"][];
            nodes: components["schemas"]["WhyNode"][];
            of_runs: number;
            possible: components["schemas"]["WhyCause"][];
            ruled_out: components["schemas"]["WhyNote"][];
            run_ids: string[];
            sentence: string;
            unknown: components["schemas"]["WhyUnknown"][];
            upstream: components["schemas"]["WhyCause"][];
        };
        IntakeKey: {
            bytes_per_second?: number;
            /** Format: date-time */
            created_at: string;
            environment: string;
            /** Format: date-time */
            expires_at: string | null;
            id: string;
            /** Format: date-time */
            last_used: string | null;
            name: string;
            revoked: boolean;
            spans_per_second?: number;
            team: string;
        };
        IntakeKeyList: {
            items: components["schemas"]["IntakeKey"][];
            next?: string;
        };
        Interval: {
            high: number | null;
            low: number | null;
            value: number | null;
        };
        Inventory: {
            agent: string;
            /** Format: date-time */
            from: string | null;
            items: components["schemas"]["InventoryItem"][];
            left_out: number;
            /** Format: date-time */
            to: string | null;
        };
        InventoryChange: {
            after: number;
            before: number;
            change: string;
            detail?: string;
            /** Format: date-time */
            first_seen: string | null;
            kind: string;
            known: boolean;
            /** Format: date-time */
            last_seen: string | null;
            name: string;
            run_id?: string;
            seen: number;
        };
        InventoryChangeList: {
            items: components["schemas"]["InventoryChange"][];
            next?: string;
        };
        InventoryCount: {
            kind: string;
            parts: number;
            unknown: number;
        };
        InventoryItem: {
            detail?: string;
            /** Format: date-time */
            first_seen: string | null;
            kind: string;
            known: boolean;
            /** Format: date-time */
            last_seen: string | null;
            name: string;
            run_id?: string;
            seen: number;
        };
        Invoice: {
            /** Format: date-time */
            created_at: string;
            first_day: string;
            format: string;
            id: string;
            last_day: string;
            lines: number;
            name: string;
            person?: string;
            rate?: number | null;
        };
        InvoiceList: {
            items: components["schemas"]["Invoice"][];
            next?: string;
        };
        InvokeTarget: {
            agent: string;
            allow_private: boolean;
            answer?: string;
            body?: string;
            configured: boolean;
            kind: string;
            local: string[];
            revision: number;
            sandbox: string[];
            timeout_s?: number;
            /** Format: date-time */
            updated_at: string;
            url?: string;
        };
        JoinToken: {
            agent: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string;
            id: string;
            instance?: string;
            label: string;
            token?: string;
            /** Format: date-time */
            used_at: string | null;
        };
        JoinTokenList: {
            items: components["schemas"]["JoinToken"][];
            next?: string;
        };
        Judge: {
            after?: string;
            agent: string;
            daily?: number;
            model: string;
            prompt: string;
            upstream: string;
        };
        JudgeFindingRequest: {
            reason?: string;
            verdict: string;
        };
        JudgeRefusal: {
            /** Format: date-time */
            at: string;
            code: string;
            detail: string;
            evaluator: string;
            hint?: string;
        };
        JudgeSignalRequest: {
            fingerprint: string;
            reason?: string;
            right: boolean;
        };
        JudgeSuspectsRequest: {
            reason?: string;
            step_id: string;
        };
        KPI: {
            about: string;
            coverage: number | null;
            custom?: boolean;
            definition_version: number;
            direction: string;
            formula: string;
            guards?: string[];
            high: number | null;
            hit_count?: number;
            hits?: string;
            id: string;
            low: number | null;
            method?: string;
            n: number;
            owner: string;
            previous?: components["schemas"]["KPIFigure"] | null;
            records: string;
            shape?: components["schemas"]["KPIShape"] | null;
            source: string;
            table?: string;
            team?: string;
            title: string;
            unit: string;
            value: number | null;
            why?: string;
        };
        KPICount: {
            among: string;
            table: string;
        };
        KPIDetail: {
            about: string;
            bucket_ms: number;
            by?: string;
            coverage: number | null;
            custom?: boolean;
            cut: boolean;
            definition_version: number;
            direction: string;
            formula: string;
            /** Format: date-time */
            from: string;
            group_count?: number;
            groups?: components["schemas"]["KPIGroup"][];
            groups_why?: string;
            guards?: string[];
            high: number | null;
            hit_count?: number;
            hits?: string;
            id: string;
            low: number | null;
            method?: string;
            n: number;
            owner: string;
            previous?: components["schemas"]["KPIFigure"] | null;
            records: string;
            series: components["schemas"]["KPIPoint"][];
            series_why?: string;
            shape?: components["schemas"]["KPIShape"] | null;
            source: string;
            table?: string;
            team?: string;
            title: string;
            /** Format: date-time */
            to: string;
            took_ms: number;
            unit: string;
            value: number | null;
            why?: string;
        };
        KPIFigure: {
            coverage: number | null;
            high: number | null;
            hit_count?: number;
            low: number | null;
            n: number;
            value: number | null;
            why?: string;
        };
        KPIGroup: {
            coverage: number | null;
            high: number | null;
            hit_count?: number;
            hits?: string;
            low: number | null;
            n: number;
            name: string;
            records?: string;
            series?: components["schemas"]["KPIPoint"][];
            value: number | null;
            why?: string;
        };
        KPIList: {
            /** Format: date-time */
            from: string;
            items: components["schemas"]["KPI"][];
            /** Format: date-time */
            to: string;
            took_ms: number;
        };
        KPIMean: {
            among: string;
            field: string;
            scale?: number;
            table: string;
        };
        KPIPerRun: {
            among: string;
            table: string;
            where: string;
        };
        KPIPoint: {
            /** Format: date-time */
            at: string;
            coverage: number | null;
            high: number | null;
            hit_count?: number;
            low: number | null;
            n: number;
            value: number | null;
            why?: string;
        };
        KPIQuantile: {
            among: string;
            at: number;
            field: string;
            table: string;
        };
        KPIRatio: {
            among: string;
            field: string;
            per?: string;
            per_field?: string;
            table: string;
        };
        KPIRecord: {
            agent: string;
            /** Format: date-time */
            at: string;
            counts: boolean;
            dataset?: string;
            environment?: string;
            id: string;
            kind: string;
            run?: string;
            says: string;
            team?: string;
            value?: number | null;
            version?: string;
        };
        KPIRecordList: {
            items: components["schemas"]["KPIRecord"][];
            next?: string;
        };
        KPIRepeat: {
            among: string;
            k?: number;
            what: string;
        };
        KPIShape: {
            count?: components["schemas"]["KPICount"] | null;
            mean?: components["schemas"]["KPIMean"] | null;
            per_run?: components["schemas"]["KPIPerRun"] | null;
            quantile?: components["schemas"]["KPIQuantile"] | null;
            ratio?: components["schemas"]["KPIRatio"] | null;
            repeat?: components["schemas"]["KPIRepeat"] | null;
            share?: components["schemas"]["KPIShare"] | null;
        };
        KPIShare: {
            among: string;
            base?: string;
            of: string;
            table: string;
        };
        KPITrial: {
            coverage: number | null;
            formula: string;
            /** Format: date-time */
            from: string;
            high: number | null;
            hit_count?: number;
            low: number | null;
            method?: string;
            n: number;
            previous: components["schemas"]["KPIFigure"] | null;
            records: string;
            table: string;
            /** Format: date-time */
            to: string;
            took_ms: number;
            value: number | null;
            why?: string;
        };
        KPIVersion: {
            about?: string;
            /** Format: date-time */
            at: string;
            by: string;
            definition_version: number;
            direction?: string;
            dropped?: boolean;
            formula: string;
            owner?: string;
            reason?: string;
            team?: string;
            title: string;
            unit?: string;
        };
        KPIVersionList: {
            items: components["schemas"]["KPIVersion"][];
            next?: string;
        };
        KnownQuestion: {
            question: string;
            truth: string;
        };
        LabelRunRequest: {
            evaluator: string;
            run: string;
            verdict: string;
            why?: string;
        };
        LeakedKeyRequest: {
            key: string;
        };
        Lesson: {
            agents: string[];
            by: string;
            /** Format: date-time */
            created_at: string;
            environment: string;
            /** Format: date-time */
            expires_at: string;
            id: string;
            incident?: string;
            measure?: string;
            owner: string;
            revision: number;
            /** Format: date-time */
            revoked_at: string | null;
            revoked_by?: string;
            state: string;
            team: string;
            text: string;
            title: string;
            /** Format: date-time */
            updated_at: string;
            why?: string;
        };
        LessonDetail: {
            agents: string[];
            by: string;
            /** Format: date-time */
            created_at: string;
            effect: components["schemas"]["LessonEffect"] | null;
            environment: string;
            /** Format: date-time */
            expires_at: string;
            id: string;
            incident?: string;
            measure?: string;
            owner: string;
            reads: components["schemas"]["LessonRead"][];
            revision: number;
            /** Format: date-time */
            revoked_at: string | null;
            revoked_by?: string;
            state: string;
            team: string;
            text: string;
            title: string;
            /** Format: date-time */
            updated_at: string;
            why?: string;
        };
        LessonEffect: {
            after: number | null;
            before: number | null;
            /** Format: date-time */
            from: string;
            measure: string;
            runs_after: number;
            runs_before: number;
            /** Format: date-time */
            since: string;
            /** Format: date-time */
            to: string;
        };
        LessonList: {
            items: components["schemas"]["Lesson"][];
            next?: string;
        };
        LessonRead: {
            agent: string;
            count: number;
            /** Format: date-time */
            first_at: string;
            how: string;
            /** Format: date-time */
            last_at: string;
            revision: number;
        };
        LiftStopRequest: {
            reason?: string;
        };
        LinkChatRequest: {
            token: string;
        };
        LinkedRun: {
            agent?: string;
            cost?: components["schemas"]["Cost"] | null;
            joined?: boolean;
            kind: string;
            name?: string;
            run_id: string;
            status?: string;
            usage?: components["schemas"]["Usage"] | null;
        };
        LinkedStep: {
            kind: string;
            run_id: string;
            step_id?: string;
        };
        Lint: {
            agent: string;
            dialects: string[];
            findings: components["schemas"]["LintFinding"][];
            runs: number;
            score: number;
            seen: components["schemas"]["LintSeen"][];
            team?: string;
        };
        LintFinding: {
            costs: string;
            field: string;
            fix: string;
            line: string;
            missing: number;
            of: number;
            open: string;
            share: number;
            table: string;
        };
        LintList: {
            items: components["schemas"]["Lint"][];
            next?: string;
        };
        LintSeen: {
            count: number | null;
            fix?: string;
            kind: string;
            of: string;
        };
        Log: {
            agent?: string;
            /** Format: date-time */
            at: string;
            attributes?: {
                [key: string]: unknown;
            };
            body: string;
            environment?: string;
            event_name?: string;
            run_id?: string;
            scope?: string;
            service?: string;
            severity: number;
            step_id?: string;
            team?: string;
            trace_id?: string;
            withheld?: boolean;
        };
        LogKind: {
            id: number;
            lines: number;
            text: string;
        };
        LogKinds: {
            agent: string;
            items: components["schemas"]["LogKindsOne"][];
        };
        LogKindsOne: {
            environment?: string;
            kinds: components["schemas"]["LogKind"][];
            name: string;
            source: string;
        };
        LogList: {
            items: components["schemas"]["Log"][];
            next?: string;
        };
        Map: {
            edges: components["schemas"]["MapEdge"][];
            /** Format: date-time */
            from: string;
            left: number;
            nodes: components["schemas"]["MapNode"][];
            text: string;
            /** Format: date-time */
            to: string;
            took_ms: number;
        };
        MapEdge: {
            by_day: boolean;
            count: number | null;
            errors: number | null;
            /** Format: date-time */
            first_seen: string;
            from: string;
            last_run?: string;
            /** Format: date-time */
            last_seen: string;
            p95_ms: number | null;
            state: string;
            to: string;
        };
        MapNode: {
            calls: number | null;
            environment?: string;
            errors: number | null;
            failed: number | null;
            id: string;
            kind: string;
            name: string;
            p95_ms: number | null;
            path: string;
            query: string;
            registered: boolean | null;
            runs: number | null;
            seen: boolean | null;
            state: string;
            team?: string;
            trouble: components["schemas"]["MapTrouble"][];
            within?: string;
        };
        MapTrouble: {
            kind: string;
            level: string;
            path: string;
            text: string;
        };
        MappingProblem: {
            column?: number;
            field?: string;
            line?: number;
            message: string;
        };
        Mark: {
            name: string;
            path?: string;
            reason?: string;
            state: string;
        };
        Me: {
            dev: boolean;
            /** Format: date-time */
            expires_at?: string | null;
            /** Format: date-time */
            fresh_until: string | null;
            grants: components["schemas"]["Grant"][];
            has_factor: boolean;
            kind: string;
            operations: string[];
            person: components["schemas"]["Person"] | null;
            setup_needed: boolean;
            token_id?: string;
        };
        Measure: {
            as?: string;
            /** @example duration_ms */
            field?: string;
            /** @enum {string} */
            func: "count" | "sum" | "avg" | "min" | "max" | "p50" | "p90" | "p95" | "p99" | "distinct" | "rate";
        };
        MergeAgentRequest: {
            into: string;
            reason: string;
        };
        MergeIncidentRequest: {
            into: string;
            reason?: string;
        };
        MergeUnknownRequest: {
            into: string;
            reason: string;
        };
        Message: {
            field: string;
            finish_reason?: string;
            format?: string;
            name?: string;
            ordinal: number;
            parts: components["schemas"]["Part"][];
            raw?: string;
            role?: string;
            size?: number;
            step_id?: string;
        };
        MessageList: {
            items: components["schemas"]["Message"][];
            next?: string;
        };
        MetricPoint: {
            agent?: string;
            /** Format: date-time */
            at: string;
            attributes?: {
                [key: string]: unknown;
            };
            count?: number | null;
            environment?: string;
            name: string;
            service?: string;
            team?: string;
            type: string;
            unit?: string;
            value: number;
        };
        MetricPointList: {
            items: components["schemas"]["MetricPoint"][];
            next?: string;
        };
        ModelRule: {
            classes?: string[];
            /** Format: date-time */
            deprecated: string | null;
            max_output?: number;
            name: string;
            region?: string;
        };
        MonthlyReport: {
            month: string;
            pdf?: string;
            text: string;
        };
        Mood: {
            agent: string;
            /** Format: date-time */
            at: string;
            environment?: string;
            frustrated: boolean;
            prompts: number;
            runs: number;
            score: number;
            session: string;
            signs: components["schemas"]["MoodSign"][];
            team?: string;
            version?: string;
        };
        MoodAgent: {
            agent: string;
            frustrated: components["schemas"]["Share"];
        };
        MoodList: {
            agents: components["schemas"]["MoodAgent"][];
            /** Format: date-time */
            from: string;
            frustrated: components["schemas"]["Share"];
            items: components["schemas"]["Mood"][];
            /** Format: date-time */
            to: string;
        };
        MoodSign: {
            /** Format: date-time */
            at: string;
            cosine?: number;
            kind: string;
            like?: string;
            run: string;
        };
        NameTopicRequest: {
            name: string;
            revision: number;
        };
        NewIntakeKey: {
            key: components["schemas"]["IntakeKey"];
            secret: string;
        };
        NewToken: {
            secret: string;
            token: components["schemas"]["Token"];
        };
        Notice: {
            actions?: components["schemas"]["NoticeAction"][];
            id: string;
            links?: components["schemas"]["NoticeLink"][];
            text?: string;
            title: string;
        };
        NoticeAction: {
            body?: unknown;
            label: string;
            method: string;
            path: string;
        };
        NoticeLink: {
            beside?: boolean;
            label: string;
            path: string;
        };
        NoticeList: {
            items: components["schemas"]["Notice"][];
            next?: string;
        };
        OAuth: {
            client_auth?: string;
            client_id?: string;
            grant: string;
            issuer?: string;
            resource?: string;
            scopes?: string[];
        };
        Objective: {
            agent?: string;
            alerts: components["schemas"]["ObjectiveAlert"][];
            by: string;
            coverage: number;
            /** Format: date-time */
            created_at: string;
            direction?: string;
            environment?: string;
            kpi: string;
            kpi_title?: string;
            limit?: number | null;
            minimum: number;
            name: string;
            propose: boolean;
            reason?: string;
            revision: number;
            slice?: string;
            status: components["schemas"]["ObjectiveStanding"];
            stream?: components["schemas"]["ObjectiveStream"] | null;
            target: number;
            task?: string;
            team?: string;
            text?: string;
            title: string;
            unit?: string;
            /** Format: date-time */
            updated_at: string;
            version?: string;
            window: components["schemas"]["ObjectiveWindow"];
        };
        ObjectiveAlert: {
            factor: number;
            long: string;
            severity: string;
            short: string;
        };
        ObjectiveBurn: {
            chance: number;
            factor: number;
            fires: boolean;
            long: string;
            long_bad: number;
            long_n: number;
            long_rate: number | null;
            never?: string;
            severity: string;
            short: string;
            short_rate: number | null;
            significance: number;
            why?: string;
        };
        ObjectiveHeld: {
            finding?: string;
            kind: string;
            severity: string;
            /** Format: date-time */
            since: string;
            text: string;
        };
        ObjectiveLabel: {
            high: number;
            low: number;
            minimum: number;
            n: number;
            needs: number;
            passed: number;
            short: boolean;
            worth: number;
        };
        ObjectiveList: {
            items: components["schemas"]["Objective"][];
            next?: string;
        };
        ObjectivePoint: {
            /** Format: date-time */
            at: string;
            bad: number;
            left: number | null;
            n: number;
        };
        ObjectiveProposal: {
            agent: string;
            /** Format: date-time */
            at: string;
            bad: number;
            by?: string;
            /** Format: date-time */
            decided_at?: string | null;
            environment: string;
            from: string;
            high: number | null;
            id: string;
            left: number;
            low: number | null;
            n: number;
            narrows: boolean;
            objective: string;
            reason?: string;
            state: string;
            target: number;
            team: string;
            to: string;
            value: number | null;
            why: string;
        };
        ObjectiveProposalList: {
            items: components["schemas"]["ObjectiveProposal"][];
            next?: string;
        };
        ObjectiveRun: {
            agent: string;
            /** Format: date-time */
            ended_at: string | null;
            error?: string;
            id: string;
            outcome?: string;
            task?: string;
            version?: string;
        };
        ObjectiveSpender: {
            bad: number;
            by: string;
            n: number;
            name: string;
            records: string;
            share: number;
        };
        ObjectiveStanding: {
            alarms: components["schemas"]["ObjectiveHeld"][];
            allowed: number | null;
            /** Format: date-time */
            at: string | null;
            bad: number;
            burns: components["schemas"]["ObjectiveBurn"][];
            coverage: number | null;
            few?: boolean;
            /** Format: date-time */
            from: string | null;
            high: number | null;
            left: number | null;
            low: number | null;
            n: number;
            /** Format: date-time */
            since?: string | null;
            state: string;
            stream?: components["schemas"]["ObjectiveLabel"] | null;
            /** Format: date-time */
            to: string | null;
            value: number | null;
            warnings: string[];
            why?: string;
        };
        ObjectiveStatus: {
            agent?: string;
            alerts: components["schemas"]["ObjectiveAlert"][];
            bucket_ms: number;
            by: string;
            coverage: number;
            /** Format: date-time */
            created_at: string;
            decided: components["schemas"]["ObjectiveProposal"][];
            direction?: string;
            environment?: string;
            kpi: string;
            kpi_title?: string;
            limit?: number | null;
            minimum: number;
            name: string;
            proposal?: components["schemas"]["ObjectiveProposal"] | null;
            propose: boolean;
            reason?: string;
            records?: string;
            revision: number;
            runs: components["schemas"]["ObjectiveRun"][];
            series: components["schemas"]["ObjectivePoint"][];
            slice?: string;
            spent: components["schemas"]["ObjectiveSpender"][];
            status: components["schemas"]["ObjectiveStanding"];
            stream?: components["schemas"]["ObjectiveStream"] | null;
            table?: string;
            target: number;
            task?: string;
            team?: string;
            text?: string;
            title: string;
            unit?: string;
            /** Format: date-time */
            updated_at: string;
            version?: string;
            window: components["schemas"]["ObjectiveWindow"];
        };
        ObjectiveStream: {
            alpha?: number;
            labels?: number;
            minimum?: number;
            within?: string;
        };
        ObjectiveWindow: {
            calendar?: string;
            rolling?: string;
            /** Format: date-time */
            start?: string | null;
            zone?: string;
        };
        Obligation: {
            id: string;
            type: string;
        };
        OnCallOverride: {
            by: string;
            /** Format: date-time */
            from: string;
            id: string;
            person: string;
            reason?: string;
            /** Format: date-time */
            to: string;
        };
        OnCallSchedule: {
            calendar?: string;
            name: string;
            next: components["schemas"]["OnCallShift"] | null;
            now: components["schemas"]["OnCallShift"] | null;
            overrides: components["schemas"]["OnCallOverride"][];
            reached: boolean;
            revision: number;
            rotations: components["schemas"]["Rotation"][];
            team?: string;
            /** Format: date-time */
            updated_at: string;
            zone: string;
        };
        OnCallScheduleDetail: {
            calendar?: string;
            name: string;
            next: components["schemas"]["OnCallShift"] | null;
            now: components["schemas"]["OnCallShift"] | null;
            overrides: components["schemas"]["OnCallOverride"][];
            reached: boolean;
            revision: number;
            rotations: components["schemas"]["Rotation"][];
            shifts: components["schemas"]["OnCallShift"][];
            team?: string;
            /** Format: date-time */
            updated_at: string;
            zone: string;
        };
        OnCallScheduleList: {
            items: components["schemas"]["OnCallSchedule"][];
            next?: string;
        };
        OnCallShift: {
            /** Format: date-time */
            from: string;
            further?: boolean;
            override?: string;
            person: string;
            /** Format: date-time */
            to: string;
        };
        OpenIncidentRequest: {
            agents?: string[];
            environment?: string;
            kind?: string;
            severity: string;
            team?: string;
            text?: string;
            title: string;
        };
        Origin: {
            entity: string;
            first: boolean;
            from: number;
            index?: number;
            injected: boolean;
            kind: string;
            path: string;
            source: string;
            step?: string;
            to: number;
            tool?: string;
        };
        OtherSystem: {
            direction: string;
            /** Format: date-time */
            failing_since: string | null;
            kind: string;
            last_error?: string;
            /** Format: date-time */
            last_ok_at: string | null;
            name: string;
            path: string;
            reason?: string;
            state: string;
            team?: string;
            waiting: number | null;
            what: string;
            where: string;
        };
        OtherSystems: {
            items: components["schemas"]["OtherSystem"][];
            parts: string[];
            text: string;
        };
        OutcomeEvidence: {
            agent?: string;
            /** Format: date-time */
            at: string;
            counts?: boolean;
            environment?: string;
            id: string;
            key?: string;
            kind: string;
            /** Format: date-time */
            look_at?: string | null;
            outcome: string;
            person?: string;
            /** Format: date-time */
            received_at: string;
            run_id?: string;
            sender_id?: string;
            session?: string;
            source: string;
            team?: string;
            text?: string;
            waiting?: boolean;
        };
        OutcomeEvidenceList: {
            items: components["schemas"]["OutcomeEvidence"][];
            next?: string;
        };
        OutcomePoint: {
            abandoned: number;
            /** Format: date-time */
            at: string;
            contained: number;
            deflected: number;
            escalated: number;
            failed: number;
            resolved: number;
            running: number;
            total: number;
            unknown: number;
            verified: number;
        };
        OutcomeRule: {
            by: string;
            deadline?: string;
            environment?: string;
            name: string;
            outcome?: string;
            reason?: string;
            revision: number;
            stuck?: string;
            team?: string;
            text?: string;
            /** Format: date-time */
            updated_at: string;
            where: string;
        };
        OutcomeRuleTrial: {
            changes: number;
            decides: number;
            found: number;
            /** Format: date-time */
            from: string;
            late: number;
            runs: components["schemas"]["OutcomeRuleTrialRun"][];
            stronger: number;
            /** Format: date-time */
            to: string;
            waits: number;
            whole: boolean;
        };
        OutcomeRuleTrialRun: {
            agent: string;
            late?: string;
            now: string;
            run_id: string;
            /** Format: date-time */
            started_at: string;
            task?: string;
            then: string;
            why?: string;
        };
        OutcomeRules: {
            items: components["schemas"]["OutcomeRule"][];
            windows: {
                [key: string]: string;
            };
        };
        OverrideRequest: {
            /** Format: date-time */
            from?: string | null;
            person: string;
            reason?: string;
            /** Format: date-time */
            to: string;
        };
        Overview: {
            charts: components["schemas"]["OverviewChart"][];
            environment?: string;
            figures: components["schemas"]["Figure"][];
            fleet: components["schemas"]["FleetTeam"][];
            /** Format: date-time */
            from: string;
            in_force: components["schemas"]["OverviewWaiting"];
            needs_a_person: components["schemas"]["OverviewWaiting"];
            outcomes: components["schemas"]["OverviewOutcomes"];
            outside: components["schemas"]["Deviation"][];
            /** Format: date-time */
            previous_from: string;
            /** Format: date-time */
            previous_to: string;
            seen: components["schemas"]["Seen"];
            team?: string;
            text: string;
            /** Format: date-time */
            to: string;
            took_ms: number;
        };
        OverviewBroken: {
            items: components["schemas"]["BrokenIncident"][];
            more: number;
        };
        OverviewChart: {
            id: string;
            missing?: string;
            series: {
                [key: string]: components["schemas"]["ChartPoint"][];
            };
            title: string;
            unit: string;
        };
        OverviewOutcomes: {
            bucket_ms: number;
            points: components["schemas"]["OutcomePoint"][];
            previous: number[];
        };
        OverviewRow: {
            id: string;
            kind: string;
            owner?: string;
            path?: string;
            /** Format: date-time */
            since: string;
            text: string;
            /** Format: date-time */
            until?: string | null;
        };
        OverviewWaiting: {
            items: components["schemas"]["OverviewRow"][];
            sources: string[];
        };
        Page: {
            answered_by?: string;
            calls: components["schemas"]["PageCall"][];
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            ended_at: string | null;
            id: string;
            kind: string;
            levels: number;
            /** Format: date-time */
            next_at: string | null;
            object: string;
            policy: string;
            severity?: string;
            state: string;
            step: number;
            team?: string;
            title: string;
            why?: string;
        };
        PageCall: {
            /** Format: date-time */
            at: string;
            channel: string;
            delivery: string;
            level: number;
            person?: string;
            state: string;
        };
        PageList: {
            items: components["schemas"]["Page"][];
            next?: string;
        };
        PairedResult: {
            change: components["schemas"]["Interval"];
            only_first: number;
            only_second: number;
            p: number;
            pairs: number;
        };
        Part: {
            arguments?: string;
            data?: string;
            id?: string;
            mime_type?: string;
            name?: string;
            text?: string;
            type: string;
            uri?: string;
        };
        PartDifference: {
            after?: string;
            before?: string;
            change: string;
            path: string;
        };
        PassGateRequest: {
            reason: string;
            to?: string;
            ungated?: boolean;
        };
        PasskeyEnrolment: {
            factor: components["schemas"]["Factor"];
            options: unknown;
        };
        PasskeyOptions: {
            options: unknown;
        };
        PasskeyRequest: {
            credential: unknown;
        };
        PastAnswer: {
            /** Format: date-time */
            at: string;
            by: string[];
            id: string;
            reason?: string;
            same: boolean;
            state: string;
        };
        Peer: {
            agent?: string;
            binding?: string;
            card_keys?: string;
            card_path?: string;
            effect?: string;
            origins?: string[];
            push_hosts?: string[];
        };
        PeerCard: {
            definition: string;
            description: string;
            door: string;
            error?: string;
            extended: boolean;
            /** Format: date-time */
            fetched_at: string | null;
            hash?: string;
            interfaces: components["schemas"]["PeerInterface"][];
            name: string;
            push: boolean;
            signature: string;
            state: string;
            streaming: boolean;
            upstream: string;
            version: string;
        };
        PeerInterface: {
            binding: string;
            refused?: string;
            tenant?: string;
            url: string;
            version: string;
        };
        Person: {
            /** Format: date-time */
            created_at: string;
            disabled: boolean;
            email?: string;
            full_name?: string;
            grants: components["schemas"]["Grant"][];
            id: string;
            name: string;
            teams: string[];
            version: number;
            waits?: string;
        };
        PersonList: {
            items: components["schemas"]["Person"][];
            next?: string;
        };
        Piece: {
            kind?: string;
            text: string;
        };
        PinAgentRequest: {
            from?: string;
            kind: string;
            reason: string;
            /** Format: date-time */
            until?: string | null;
            value: string;
        };
        PlanRemapRequest: {
            all?: boolean;
            /** Format: date-time */
            from?: string | null;
            /** Format: date-time */
            to?: string | null;
        };
        PlanRerateRequest: {
            card?: string;
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
        };
        Policy: {
            author: string;
            cedar: string;
            /** Format: date-time */
            created_at: string;
            guardrail: boolean;
            mode: string;
            name: string;
            origin: string;
            reason: string;
            revision: number;
            statements: components["schemas"]["PolicyStatement"][];
            team: string;
            /** Format: date-time */
            updated_at: string;
            warnings: string[];
        };
        PolicyList: {
            items: components["schemas"]["Policy"][];
            next?: string;
        };
        PolicyModeRequest: {
            mode: string;
            reason?: string;
        };
        PolicyProblem: {
            column: number;
            line: number;
            text: string;
        };
        PolicyProposal: {
            cut: boolean;
            decisions: number;
            /** Format: date-time */
            from: string;
            policy: components["schemas"]["ProposedPolicy"];
            simulation: components["schemas"]["Simulation"] | null;
            /** Format: date-time */
            to: string;
            unread: number;
            used: components["schemas"]["UsedResource"][];
        };
        PolicyRate: {
            limit: string;
            statement: string;
        };
        PolicyRef: {
            hash?: string;
            policy: string;
            statement: string;
        };
        PolicyRevision: {
            action: string;
            /** Format: date-time */
            at: string;
            author: string;
            cedar: string;
            guardrail: boolean;
            mode: string;
            reason: string;
            revision: number;
            team: string;
            version: number;
        };
        PolicyRevisionList: {
            items: components["schemas"]["PolicyRevision"][];
            next?: string;
        };
        PolicyStatement: {
            effect: string;
            hash: string;
            hold?: string;
            id: string;
            limit?: string;
            line: number;
            reason?: string;
            redact?: string;
        };
        PolicyValidation: {
            ok: boolean;
            problems: components["schemas"]["PolicyProblem"][];
            statements: components["schemas"]["PolicyStatement"][];
            warnings: string[];
        };
        Poller: {
            agent?: string;
            allow_private?: boolean;
            /** Format: date-time */
            created_at: string;
            credential?: components["schemas"]["Credential"] | null;
            environment?: string;
            every_seconds: number;
            filter?: string;
            /** Format: date-time */
            from?: string | null;
            kind: string;
            late_seconds: number;
            log_group?: string;
            name: string;
            paused: boolean;
            prefix?: string;
            revision: number;
            scope?: string;
            status: components["schemas"]["PollerStatus"];
            team: string;
            token_url?: string;
            /** Format: date-time */
            updated_at: string;
            url: string;
        };
        PollerList: {
            items: components["schemas"]["Poller"][];
            next?: string;
        };
        PollerStatus: {
            error?: string;
            /** Format: date-time */
            failing_since: string | null;
            hint?: string;
            lag_seconds: number | null;
            /** Format: date-time */
            last_poll_at: string | null;
            /** Format: date-time */
            last_record_at: string | null;
            last_rejected?: string;
            /** Format: date-time */
            next_poll_at: string | null;
            records: number;
            rejected: number;
            state: string;
            steps: number;
            /** Format: date-time */
            through: string | null;
        };
        PollerTest: {
            error?: string;
            hint?: string;
            ok: boolean;
            records: number;
            took_ms: number;
        };
        PreviewStopRequest: {
            target: components["schemas"]["StopTarget"];
        };
        ProbablyFailed: {
            agent: string;
            auroc: number | null;
            bins: components["schemas"]["ProbablyFailedBin"][];
            failed: number;
            items: components["schemas"]["ProbablyFailedRun"][];
            judged: number;
            learned: boolean;
            needed: number;
            text: string;
            truncated: boolean;
            unjudged: number;
        };
        ProbablyFailedBin: {
            failed: number;
            high: number;
            low: number;
            predicted: number;
            runs: number;
        };
        ProbablyFailedReason: {
            adds: number;
            name: string;
        };
        ProbablyFailedRun: {
            outcome?: string;
            p: number;
            parts: components["schemas"]["ProbablyFailedReason"][];
            run_id: string;
            /** Format: date-time */
            start: string;
            task?: string;
            version?: string;
        };
        Problem: {
            code: string;
            detail?: string;
            hint?: string;
            status: number;
            title: string;
            type?: string;
        };
        PromoteAgentRequest: {
            reason: string;
            to: string;
            ungated?: boolean;
        };
        Proof: {
            model: string;
            runs: number;
            upstream?: string;
        };
        ProofResult: {
            before: number | null;
            compared: number;
            now: number | null;
            p: number;
            passed: components["schemas"]["Share"];
            passes: components["schemas"]["Share"];
            priced: number;
            quality: components["schemas"]["Interval"];
            saving: components["schemas"]["Interval"];
            unknown: number;
        };
        Proposal: {
            by: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            decided_at: string | null;
            decided_by?: string;
            environment: string;
            error?: string;
            /** Format: date-time */
            expires_at: string;
            id: string;
            mine: boolean;
            operation: string;
            path: string;
            reason?: string;
            request: unknown;
            state: string;
            summary: string;
            team: string;
        };
        ProposalList: {
            items: components["schemas"]["Proposal"][];
            next?: string;
        };
        ProposePolicyRequest: {
            agent: string;
            days?: number;
        };
        ProposedPolicy: {
            cedar?: string;
            delete?: boolean;
            guardrail?: boolean;
            mode?: string;
            name: string;
            team?: string;
        };
        ProviderButton: {
            label: string;
            name: string;
            url: string;
        };
        PutAgentOAuthRequest: {
            audiences?: string[];
            bound?: boolean;
            life_s?: number;
            resources?: string[];
            scopes?: string[];
        };
        PutAlertSourceRequest: {
            auth?: string;
            branches?: string[];
            description?: string;
            environment?: string;
            kind?: string;
            mapping?: components["schemas"]["AlertMapping"] | null;
            purpose?: string;
            resolve_after?: string;
            revision?: number;
            secret?: string;
            team?: string;
            url_token?: boolean;
        };
        PutAuditPlanRequest: {
            agent: string;
            allow_private?: boolean;
            dataset?: string;
            every?: string;
            paused?: boolean;
            questions?: string;
            revision?: number;
            sample?: number;
            sheet?: components["schemas"]["KnownQuestion"][];
            truth_url?: string;
        };
        PutBiasPlanRequest: {
            agent: string;
            bias: components["schemas"]["BiasPairs"];
            every?: string;
            on_version?: boolean;
            paused?: boolean;
            repeats?: number;
            revision?: number;
        };
        PutBudgetRequest: {
            currency?: string;
            hard?: boolean;
            limit: number;
            match: string;
            period: string;
            revision?: number;
            scope: string;
            team?: string;
            unit: string;
        };
        PutCanaryRequest: {
            agent: string;
            environment: string;
            every?: string;
            model: string;
            off?: boolean;
            prompts?: string[];
            reason?: string;
            revision?: number;
            team: string;
            upstream: string;
        };
        PutChannelRequest: {
            incidents?: string;
            kind: string;
            off?: boolean;
            revision?: number;
            settings: components["schemas"]["ChannelSettings"];
            signing?: string;
            team?: string;
            token?: string;
        };
        PutComplianceFrameworkRequest: {
            mapping: string;
            revision: number;
        };
        PutComplianceScheduleRequest: {
            every_days: number;
        };
        PutContactsRequest: {
            items: components["schemas"]["Contact"][];
        };
        PutContentRuleRequest: {
            action: string;
            agent?: string;
            classes?: string[];
            direction?: string;
            environment?: string;
            pattern?: string;
            reason: string;
            revision?: number;
            team?: string;
        };
        PutDatasetRequest: {
            about?: string;
            basis?: string;
            environment?: string;
            team?: string;
        };
        PutDetectorRequest: {
            agent?: string;
            alarms_per_week?: number;
            minimum_effect?: number;
            off?: boolean;
            reason: string;
            rest?: string;
            revision?: number;
            severity?: string;
        };
        PutDrillRequest: {
            agent: string;
            at?: string;
            dataset?: string;
            evaluators?: string[];
            every?: string;
            least?: number;
            model?: string;
            paused?: boolean;
            revision?: number;
            runs?: number;
            tolerance?: number;
            upstream: string;
            zone?: string;
        };
        PutEscalationPolicyRequest: {
            for?: string;
            levels: components["schemas"]["EscalationLevel"][];
            repeat?: number;
            revision?: number;
            team?: string;
        };
        PutEvaluatorRequest: {
            agents?: string[];
            environment?: string;
            judge?: components["schemas"]["Judge"] | null;
            kind: string;
            off?: boolean;
            revision?: number;
            rules?: {
                [key: string]: string;
            };
            schema?: unknown;
            share?: number;
            team?: string;
            when?: string;
        };
        PutFeedbackFormRequest: {
            environment?: string;
            origins: string[];
            question?: string;
            revision?: number;
            team?: string;
            ticket?: boolean;
        };
        PutGateSetRequest: {
            dataset: string;
            least?: number;
            version?: number;
        };
        PutInvokeTargetRequest: {
            allow_private?: boolean;
            answer?: string;
            body?: string;
            kind: string;
            local?: string[];
            revision?: number;
            sandbox?: string[];
            timeout_s?: number;
            url: string;
        };
        PutKPIRequest: {
            about: string;
            count?: components["schemas"]["KPICount"] | null;
            definition_version?: number;
            direction: string;
            mean?: components["schemas"]["KPIMean"] | null;
            owner: string;
            per_run?: components["schemas"]["KPIPerRun"] | null;
            quantile?: components["schemas"]["KPIQuantile"] | null;
            ratio?: components["schemas"]["KPIRatio"] | null;
            reason?: string;
            repeat?: components["schemas"]["KPIRepeat"] | null;
            share?: components["schemas"]["KPIShare"] | null;
            team?: string;
            title: string;
            unit: string;
        };
        PutObjectiveRequest: {
            agent?: string;
            alerts?: components["schemas"]["ObjectiveAlert"][];
            coverage?: number;
            dry_run?: boolean;
            environment?: string;
            kpi: string;
            limit?: number | null;
            minimum?: number;
            propose?: boolean;
            reason?: string;
            revision?: number;
            slice?: string;
            stream?: components["schemas"]["ObjectiveStream"] | null;
            target?: number;
            task?: string;
            team?: string;
            text?: string;
            title: string;
            version?: string;
            window?: components["schemas"]["ObjectiveWindow"] | null;
        };
        PutOutcomeRuleRequest: {
            deadline?: string;
            environment?: string;
            outcome?: string;
            reason?: string;
            revision?: number;
            stuck?: string;
            team?: string;
            text?: string;
            where: string;
        };
        PutPolicyRequest: {
            cedar: string;
            guardrail?: boolean;
            mode?: string;
            reason?: string;
            revision?: number;
            team?: string;
        };
        PutPollerRequest: {
            agent?: string;
            allow_private?: boolean;
            credential?: components["schemas"]["Credential"] | null;
            environment?: string;
            every_seconds?: number;
            filter?: string;
            /** Format: date-time */
            from?: string | null;
            kind: string;
            late_seconds?: number;
            log_group?: string;
            paused?: boolean;
            prefix?: string;
            revision?: number;
            scope?: string;
            team: string;
            token_url?: string;
            url: string;
        };
        PutRelayRequest: {
            agents?: string[];
            allow_private?: boolean;
            compression?: string;
            credential?: components["schemas"]["Credential"] | null;
            dialects?: string[];
            environments?: string[];
            headers?: {
                [key: string]: string;
            };
            paused?: boolean;
            protocol?: string;
            redact?: string[];
            revision?: number;
            signals?: string[];
            teams?: string[];
            timeout_ms?: number;
            url: string;
        };
        PutResponsePolicyRequest: {
            agents?: string[];
            contain: string;
            detectors?: string[];
            environment?: string;
            for?: string;
            mode?: string;
            reason?: string;
            revision?: number;
            severity?: string;
            team?: string;
            text?: string;
        };
        PutRetentionRequest: {
            days: number;
            environment?: string;
            kind: string;
            reason?: string;
            team?: string;
        };
        PutRuleRequest: {
            agents?: string[];
            environment?: string;
            off?: boolean;
            query?: components["schemas"]["RuleQuery"] | null;
            reason?: string;
            rest?: string;
            revision?: number;
            scope?: string;
            severity?: string;
            team?: string;
            text?: string;
            when: string;
            window?: string;
        };
        PutRunbookRequest: {
            approval?: boolean;
            kinds?: string[];
            revision?: number;
            steps: components["schemas"]["RunbookStep"][];
            team?: string;
            text?: string;
        };
        PutScheduleRequest: {
            revision?: number;
            rotations: components["schemas"]["Rotation"][];
            team?: string;
            zone: string;
        };
        PutSourceBackRequest: {
            reason: string;
        };
        PutSourceRequest: {
            aliases?: string[];
            classes?: string[];
            dataset?: string;
            description?: string;
            kind?: string;
            max_age?: string;
            max_error_rate?: number | null;
            min_accuracy?: number | null;
            namespace?: string;
            on_breach?: string;
            owner?: string;
            revision?: number;
            team?: string;
            trusted?: boolean;
            warn_age?: string;
        };
        PutTokenIssuerRequest: {
            allow_private?: boolean;
            audiences: string[];
            issuer?: string;
            jwks?: unknown;
            jwks_url?: string;
            max_life_s?: number;
            preset?: string;
            required?: {
                [key: string]: string[];
            };
            rules?: components["schemas"]["TokenRule"][];
            user_claim?: string;
            uses?: string[];
        };
        PutUpstreamRequest: {
            allow_private?: boolean;
            ask_hosts?: string[];
            classes?: string[];
            credential?: components["schemas"]["Credential"] | null;
            dialect?: string;
            environment: string;
            external?: boolean;
            fallback?: string[];
            headers?: {
                [key: string]: string;
            };
            health_path?: string;
            kind: string;
            max_tokens?: number;
            models?: components["schemas"]["ModelRule"][];
            peer?: components["schemas"]["Peer"] | null;
            region?: string;
            revision?: number;
            routes?: components["schemas"]["Route"][];
            shared?: boolean;
            team: string;
            timeout_ms?: number;
            url: string;
        };
        Query: {
            /** @example 1h */
            bucket?: string;
            end?: string;
            /** @enum {string} */
            from: "runs" | "steps" | "decisions" | "messages" | "logs";
            /**
             * @example [
             *       "agent",
             *       "outcome"
             *     ]
             */
            group_by?: string[];
            limit?: number;
            order_by?: string;
            select?: components["schemas"]["Measure"][];
            /** @example -24h */
            start?: string;
            /** @example agent:refund-agent failed:true */
            where?: string;
        };
        QueryColumn: {
            kind: string;
            name: string;
            unit?: string;
        };
        QueryResult: {
            columns: components["schemas"]["QueryColumn"][];
            cut?: boolean;
            rows: unknown[][];
            scanned: number;
            source: string;
            took_ms: number;
        };
        Readiness: {
            all_fresh: components["schemas"]["SourceShare"] | null;
            coverage: number | null;
            /** Format: date-time */
            from: string;
            grouped_by: string;
            looked: number;
            reading: number;
            sources: components["schemas"]["SourceReadiness"][];
            /** Format: date-time */
            to: string;
            topics: components["schemas"]["TopicCoverage"][];
            unknown: number;
        };
        Reason: {
            code: string;
            text: string;
        };
        Receipt: {
            agent?: string;
            calls_cut: components["schemas"]["CutCall"][];
            credentials_revoked: number;
            delegates: string[];
            id: string;
            notes: string[];
            /** Format: date-time */
            requested_at: string;
            /** Format: date-time */
            stopped_at: string;
            targets: components["schemas"]["StopNode"][];
            through_door: boolean;
            time_to_stop_ms: number;
        };
        ReceiptContent: {
            content: string;
            field: string;
            key: string;
            seq: number;
        };
        ReceiptRecord: {
            proof: string[];
            record: string;
            seq: number;
        };
        Reconciliation: {
            agreeing: number;
            amount: number | null;
            currency: string;
            difference: number | null;
            invoice: components["schemas"]["Invoice"];
            other: number;
            ours: number | null;
            rows: components["schemas"]["ReconciliationRow"][];
        };
        ReconciliationRow: {
            amount: number | null;
            calls: number | null;
            day: string;
            difference: number | null;
            invoice_input_tokens: number | null;
            invoice_output_tokens: number | null;
            model: string;
            ours: number | null;
            ours_input_tokens: number | null;
            ours_output_tokens: number | null;
            share: number | null;
            state: string;
            why?: string[];
        };
        RecoveryCodes: {
            codes: string[];
        };
        RegisterUnknownRequest: {
            autonomy?: string;
            data_classes?: string[];
            enforcement?: string;
            environment?: string;
            kind?: string;
            labels?: {
                [key: string]: string;
            };
            mode?: string;
            name?: string;
            owner?: string;
            purpose?: string;
            reason?: string;
            sponsor?: string;
            team?: string;
        };
        RelayDestination: {
            agents?: string[];
            allow_private?: boolean;
            compression?: string;
            configured: boolean;
            /** Format: date-time */
            created_at: string;
            credential?: components["schemas"]["Credential"] | null;
            dialects?: string[];
            environments?: string[];
            headers?: {
                [key: string]: string;
            };
            name: string;
            paused: boolean;
            protocol: string;
            redact?: string[];
            revision: number;
            signals: string[];
            status: components["schemas"]["RelayStatus"];
            teams?: string[];
            timeout_ms?: number;
            /** Format: date-time */
            updated_at: string;
            url: string;
        };
        RelayDestinationList: {
            items: components["schemas"]["RelayDestination"][];
            next?: string;
        };
        RelayStatus: {
            error?: string;
            /** Format: date-time */
            failing_since: string | null;
            filtered: number;
            lag_seconds: number;
            last_rejected?: string;
            /** Format: date-time */
            last_sent_at: string | null;
            lost: number;
            /** Format: date-time */
            next_try_at: string | null;
            rejected: number;
            sent: number;
            state: string;
            waiting: number;
        };
        RelayTest: {
            error?: string;
            hint?: string;
            ok: boolean;
            took_ms: number;
            trace_id: string;
        };
        ReleaseRunRequest: {
            reason?: string;
        };
        Remap: {
            all: boolean;
            applied: number;
            changed: number;
            /** Format: date-time */
            created_at: string;
            days: number;
            days_done: number;
            /** Format: date-time */
            ended_at: string | null;
            error?: string;
            failed: number;
            fields: components["schemas"]["RemapField"][];
            /** Format: date-time */
            from: string;
            id: string;
            person: string;
            rows: components["schemas"]["RemapRow"][];
            runs_done: number;
            state: string;
            steps: number;
            /** Format: date-time */
            to: string;
            took_ms: number;
            version: number;
        };
        RemapExample: {
            after: string;
            before: string;
            name?: string;
            run: string;
            step: string;
        };
        RemapField: {
            examples: components["schemas"]["RemapExample"][];
            field: string;
            steps: number;
        };
        RemapList: {
            items: components["schemas"]["Remap"][];
            next?: string;
        };
        RemapRow: {
            changed: number;
            dialect: string;
            steps: number;
            version: number;
        };
        Replay: {
            answer: string;
            checks: components["schemas"]["ReplayCheck"][];
            cost: number | null;
            left?: {
                [key: string]: number;
            };
            model: string;
            run: string;
            shared: number | null;
            step: string;
            stopped: components["schemas"]["ReplayCall"] | null;
            test_run?: string;
            tokens: number;
            turns: components["schemas"]["ReplayTurn"][];
            upstream: string;
            was: string;
            why?: string;
        };
        ReplayCall: {
            arguments: string;
            name: string;
            recorded: boolean;
            result?: string;
        };
        ReplayCheck: {
            before?: string;
            name: string;
            text?: string;
            verdict: string;
        };
        ReplayRunRequest: {
            evaluators?: string[];
            model?: string;
            prompt?: string | null;
            step?: string;
            system?: string | null;
            upstream?: string;
        };
        ReplayTurn: {
            calls: components["schemas"]["ReplayCall"][];
            cost: number | null;
            decision?: string;
            model: string;
            text: string;
            tokens: number;
        };
        ReportOutcomeRequest: {
            /** Format: date-time */
            at?: string | null;
            environment?: string;
            key?: string;
            kind?: string;
            outcome: string;
            run_id?: string;
            sender_id?: string;
            session?: string;
            source: string;
            team?: string;
            text?: string;
        };
        Rerate: {
            after: number | null;
            before: number | null;
            calls: number;
            changed: number;
            /** Format: date-time */
            created_at: string;
            days: number;
            days_done: number;
            /** Format: date-time */
            ended_at: string | null;
            error?: string;
            /** Format: date-time */
            from: string;
            given: number;
            id: string;
            person: string;
            prices: string;
            rows: components["schemas"]["RerateRow"][];
            state: string;
            /** Format: date-time */
            to: string;
            took_ms: number;
        };
        RerateList: {
            items: components["schemas"]["Rerate"][];
            next?: string;
        };
        RerateRow: {
            after: number | null;
            before: number | null;
            calls: number;
            changed: number;
            currency: string;
            model: string;
            newly_known: number;
            now_unknown: number;
            provider?: string;
        };
        Reserve: {
            amount: number;
            budget: string;
            key?: string;
            spent: number | null;
            unit: string;
        };
        Response: {
            agent: string;
            /** Format: date-time */
            at: string;
            before: string;
            contain: string;
            detector: string;
            /** Format: date-time */
            ended_at: string | null;
            ended_by?: string;
            environment?: string;
            finding: string;
            id: string;
            policy: string;
            reason?: string;
            revision: number;
            state: string;
            team?: string;
            took_ms: number | null;
            /** Format: date-time */
            until: string | null;
            why?: string;
        };
        ResponseActRequest: {
            reason: string;
        };
        ResponseList: {
            items: components["schemas"]["Response"][];
            next?: string;
        };
        ResponsePolicies: {
            items: components["schemas"]["ResponsePolicy"][];
            per_hour: number;
            per_team: number;
        };
        ResponsePolicy: {
            acts: number;
            agents: string[];
            by: string;
            contain: string;
            /** Format: date-time */
            created_at: string;
            detectors: string[];
            environment?: string;
            for?: string;
            mode: string;
            name: string;
            reason?: string;
            revision: number;
            severity?: string;
            team?: string;
            text?: string;
            /** Format: date-time */
            updated_at: string;
            would: number;
        };
        RestorePolicyRequest: {
            reason?: string;
            revision: number;
        };
        Retention: {
            bytes: number;
            content_days: number;
            last: components["schemas"]["RetentionPass"] | null;
            max_bytes: number;
            /** Format: date-time */
            oldest: string | null;
            rules: components["schemas"]["RetentionRule"][];
            runs_days: number;
            text: string;
        };
        RetentionPass: {
            /** Format: date-time */
            at: string;
            bytes: number;
            days: number;
            error?: string;
            rows: number;
            runs: number;
            took_ms: number;
        };
        RetentionPlace: {
            environment?: string;
            runs: number;
            team?: string;
        };
        RetentionPreview: {
            back: number;
            /** Format: date-time */
            before: string;
            places: components["schemas"]["RetentionPlace"][];
            runs: number;
            text: string;
        };
        RetentionRule: {
            /** Format: date-time */
            at: string;
            by: string;
            days: number;
            environment?: string;
            kind: string;
            reason: string;
            team?: string;
        };
        RevertWeightsRequest: {
            reason?: string;
            revision: number;
        };
        RevokeCredentialRequest: {
            id: string;
            reason?: string;
        };
        RevokeLessonRequest: {
            reason: string;
        };
        RotateAlertSourceRequest: {
            keep?: string;
            secret?: string;
        };
        RotateAuditKeyRequest: {
            reason: string;
        };
        RotateAuthorityRequest: {
            compromised?: boolean;
            reason: string;
        };
        Rotation: {
            days?: string[];
            every: string;
            hours?: string;
            people: string[];
            /** Format: date-time */
            start: string;
        };
        Route: {
            classes?: string[];
            effect: string;
            method: string;
            name: string;
            path: string;
            shows: components["schemas"]["Shows"];
        };
        Rule: {
            agents: string[];
            by: string;
            /** Format: date-time */
            created_at: string;
            environment?: string;
            failures: number;
            name: string;
            off: boolean;
            open: number;
            query?: components["schemas"]["RuleQuery"] | null;
            reason?: string;
            rest: string;
            revision: number;
            scope: string;
            severity: string;
            team?: string;
            text?: string;
            /** Format: date-time */
            updated_at: string;
            when: string;
            window?: string;
        };
        RuleList: {
            items: components["schemas"]["Rule"][];
            next?: string;
        };
        RuleQuery: {
            by?: string;
            field?: string;
            func?: string;
            kpi?: string;
            of?: string;
            table?: string;
            where?: string;
        };
        RuleTrial: {
            agents: components["schemas"]["RuleTrialOf"][];
            days: components["schemas"]["RuleTrialDay"][];
            findings: components["schemas"]["Finding"][];
            fired: number;
            /** Format: date-time */
            from: string;
            per_week: number | null;
            runs: number;
            steps: number;
            /** Format: date-time */
            to: string;
            whole: boolean;
        };
        RuleTrialDay: {
            day: string;
            fired: number;
        };
        RuleTrialOf: {
            agent: string;
            fired: number;
        };
        RuleWord: {
            about: string;
            agent: boolean;
            name: string;
            query: boolean;
            run: boolean;
            type: string;
        };
        RuleWordList: {
            items: components["schemas"]["RuleWord"][];
            next?: string;
        };
        Run: {
            agent: string;
            agent_state?: string;
            agents: string[];
            cost: components["schemas"]["Cost"];
            coverage: components["schemas"]["Coverage"];
            dialects: string[];
            duration_ms: number | null;
            /** Format: date-time */
            ended_at: string | null;
            environment?: string;
            error_count: number;
            error_type?: string;
            failed: boolean;
            id: string;
            joined?: boolean;
            labels?: {
                [key: string]: string;
            };
            linked?: components["schemas"]["LinkedRun"][];
            log_count: number;
            mode?: string;
            model_calls: number;
            models: string[];
            name: string;
            outcome: string | null;
            registered_agent?: string;
            revision: number;
            session?: string;
            sources: string[];
            /** Format: date-time */
            started_at: string;
            status: string;
            step_count: number;
            tags?: string[];
            task?: string;
            team?: string;
            tool_calls: number;
            tools: string[];
            trace_ids: string[];
            /** Format: date-time */
            updated_at: string;
            usage: components["schemas"]["Usage"];
            user?: string;
            version?: string;
        };
        RunHold: {
            /** Format: date-time */
            at: string;
            by: string;
            reason?: string;
            /** Format: date-time */
            until: string;
        };
        RunList: {
            items: components["schemas"]["Run"][];
            next?: string;
        };
        RunNote: {
            /** Format: date-time */
            at: string;
            by: string;
            decision_id?: string;
            /** Format: date-time */
            ended_at: string | null;
            every: boolean;
            id: string;
            text: string;
            told: number;
            /** Format: date-time */
            told_at: string | null;
            /** Format: date-time */
            until: string;
        };
        RunOutcome: {
            basis?: string;
            decided: string;
            evidence: components["schemas"]["OutcomeEvidence"][];
            mode?: string;
            outcome: string;
            run_id: string;
            settled: boolean;
            /** Format: date-time */
            settles_at: string | null;
            waiting_ms: number | null;
            why: string;
            window: string;
        };
        RunTopic: {
            looked: boolean;
            run: components["schemas"]["TopicRun"] | null;
            session: components["schemas"]["Mood"] | null;
            topic: components["schemas"]["Topic"] | null;
        };
        RunUpdated: {
            agent?: string;
            environment?: string;
            id: string;
            revision?: number;
            session?: string;
            status: string;
            steps?: number;
            team?: string;
        };
        Runbook: {
            approval: boolean;
            kinds: string[];
            name: string;
            revision: number;
            steps: components["schemas"]["RunbookStep"][];
            team?: string;
            text?: string;
            /** Format: date-time */
            updated_at: string;
        };
        RunbookList: {
            items: components["schemas"]["Runbook"][];
            next?: string;
        };
        RunbookRun: {
            approved_by?: string;
            /** Format: date-time */
            at: string;
            by: string;
            id: string;
            incident: string;
            number?: number;
            reason: string;
            runbook: string;
            state: string;
            steps: components["schemas"]["RunbookRunStep"][];
        };
        RunbookRunList: {
            items: components["schemas"]["RunbookRun"][];
            next?: string;
        };
        RunbookRunRequest: {
            text?: string;
        };
        RunbookRunStep: {
            acts: string[];
            /** Format: date-time */
            at: string | null;
            by?: string;
            for?: string;
            kind?: string;
            level?: string;
            result?: string;
            state: string;
            target?: string;
            text: string;
        };
        RunbookStep: {
            for?: string;
            kind?: string;
            level?: string;
            target?: string;
            text: string;
        };
        RunbookTrial: {
            steps: components["schemas"]["RunbookTrialStep"][];
        };
        RunbookTrialStep: {
            for?: string;
            kind?: string;
            level?: string;
            previews: components["schemas"]["IncidentPreview"][];
            problem?: string;
            target?: string;
            text: string;
        };
        SIEMTarget: {
            behind: {
                [key: string]: number;
            };
            cursors: {
                [key: string]: number;
            };
            error?: string;
            /** Format: date-time */
            failing_since: string | null;
            kind: string;
            /** Format: date-time */
            last_sent_at: string | null;
            name: string;
            sent: number;
            where: string;
        };
        SIEMTargetList: {
            items: components["schemas"]["SIEMTarget"][];
            next?: string;
        };
        SaveReviewRequest: {
            done?: boolean;
            revision: number;
            text: string;
        };
        Saving: {
            agents: components["schemas"]["SavingAgent"][];
            at_most: boolean;
            calls: number;
            checked: number;
            do: string;
            figure: number | null;
            how: string;
            id: string;
            proved: number;
            runs: components["schemas"]["SavingRun"][];
            title: string;
            tokens: number;
            unpriced: number;
        };
        SavingAgent: {
            agent: string;
            calls: number;
            figure: number;
            model?: string;
        };
        SavingRun: {
            agent: string;
            calls: number;
            figure: number;
            proved: boolean;
            run: string;
            what: string;
        };
        Savings: {
            currency: string;
            cut: boolean;
            /** Format: date-time */
            from: string;
            items: components["schemas"]["Saving"][];
            looked: number;
            /** Format: date-time */
            to: string;
        };
        SearchField: {
            aliases?: string[];
            help: string;
            name: string;
            operators: string[];
            scope: string;
            type: string;
            unit?: string;
            values?: string[];
        };
        SearchFields: {
            items: components["schemas"]["SearchField"][];
            max_depth: number;
            max_length: number;
        };
        SearchSuggestion: {
            from: number;
            help?: string;
            kind: string;
            text: string;
            to: number;
        };
        SearchSuggestionList: {
            items: components["schemas"]["SearchSuggestion"][];
            next?: string;
        };
        Seen: {
            age_ms: number | null;
            /** Format: date-time */
            last_telemetry_at: string | null;
            running: number;
            state: string;
            text: string;
        };
        SendCostReportRequest: {
            month?: string;
        };
        Session: {
            agents: string[];
            cost: components["schemas"]["Cost"];
            error_runs: number;
            id: string;
            last_status: string;
            partial?: boolean;
            running: number;
            runs: number;
            /** Format: date-time */
            started_at: string;
            /** Format: date-time */
            updated_at: string;
            usage: components["schemas"]["Usage"];
            user?: string;
        };
        SessionList: {
            items: components["schemas"]["Session"][];
            next?: string;
        };
        SetFeedbackStatusRequest: {
            state: string;
            text?: string;
        };
        Setup: {
            dev: boolean;
            needed: boolean;
            providers: components["schemas"]["ProviderButton"][];
        };
        Share: {
            high: number | null;
            low: number | null;
            n: number;
            value: number | null;
        };
        ShownText: {
            bytes: number;
            cut: boolean;
            marked: number;
            pieces: components["schemas"]["Piece"][];
            text: string;
        };
        Shows: {
            amount?: string[];
            currency?: string[];
            destination?: string[];
            recipient?: string[];
        };
        SignIn: {
            address?: string;
            agent?: string;
            /** Format: date-time */
            created_at: string;
            current: boolean;
            /** Format: date-time */
            expires_at: string;
            id: string;
            /** Format: date-time */
            last_used: string;
            person_id: string;
        };
        SignInList: {
            items: components["schemas"]["SignIn"][];
            next?: string;
        };
        SignInRequest: {
            code?: string;
            name: string;
            password: string;
        };
        SignedIn: {
            /** Format: date-time */
            expires_at: string;
            id: string;
            person: components["schemas"]["Person"];
            secret: string;
        };
        Silence: {
            author: string;
            ended_by?: string;
            /** Format: date-time */
            ends_at: string;
            held: number;
            id: string;
            kind: string;
            matchers: components["schemas"]["SilenceMatcher"][];
            reason: string;
            /** Format: date-time */
            starts_at: string;
            state: string;
            team?: string;
        };
        SilenceList: {
            items: components["schemas"]["Silence"][];
            next?: string;
        };
        SilenceMatcher: {
            is_equal: boolean;
            is_regex: boolean;
            name: string;
            value: string;
        };
        SimulateRequest: {
            agent?: string;
            agents?: {
                [key: string]: string;
            };
            from?: string;
            policies?: components["schemas"]["ProposedPolicy"][];
            to?: string;
            whole?: boolean;
        };
        Simulation: {
            changed: number;
            changes: components["schemas"]["ChangeGroup"][];
            cut: boolean;
            decisions: number;
            elsewhere: number;
            error?: string;
            /** Format: date-time */
            from: string;
            id: string;
            looser: number;
            more: number;
            not_kept: number;
            others: number;
            progress: number;
            replayed: number;
            state: string;
            stricter: number;
            /** Format: date-time */
            to: string;
            /** Format: date-time */
            until: string;
        };
        SkippedAdoption: {
            code: string;
            id: string;
            name: string;
            why: string;
        };
        SnippetPart: {
            text: string;
            title: string;
        };
        Source: {
            age_policy?: string;
            aliases?: string[];
            checks: number;
            classes?: string[];
            dataset?: string;
            description?: string;
            documents: number;
            failing_checks: number;
            kind: string;
            max_age?: string;
            max_error_rate?: number | null;
            min_accuracy?: number | null;
            name: string;
            namespace?: string;
            on_breach?: string;
            out_of_use: components["schemas"]["SourceOut"] | null;
            owner?: string;
            reason: string;
            registered: boolean;
            revision?: number;
            state: string;
            team?: string;
            trusted: boolean;
            /** Format: date-time */
            updated_at: string;
            version: components["schemas"]["SourceVersion"] | null;
            versions: number;
            warn_age?: string;
        };
        SourceAudit: {
            agent?: string;
            asked: number;
            /** Format: date-time */
            at: string;
            by: string;
            correct: number;
            error_rate: components["schemas"]["SourceShare"] | null;
            experiment?: string;
            id: string;
            source: string;
            truth: string;
            unanswered?: number;
            wrong: components["schemas"]["AuditItem"][];
        };
        SourceAuditList: {
            items: components["schemas"]["SourceAudit"][];
            next?: string;
        };
        SourceBreach: {
            limit: string;
            text: string;
        };
        SourceCause: {
            /** Format: date-time */
            at: string;
            /** Format: date-time */
            good_at: string | null;
            job: string;
            note?: string;
            path: string[];
            state: string;
        };
        SourceCheck: {
            /** Format: date-time */
            at: string;
            name: string;
            note?: string;
            ok: boolean;
        };
        SourceDetail: {
            age_policy?: string;
            aliases?: string[];
            checks: number;
            classes?: string[];
            dataset?: string;
            description?: string;
            documents: number;
            failing_checks: number;
            history: components["schemas"]["SourceVersion"][];
            kind: string;
            max_age?: string;
            max_error_rate?: number | null;
            min_accuracy?: number | null;
            name: string;
            namespace?: string;
            newest: components["schemas"]["SourceDocument"][];
            on_breach?: string;
            out_of_use: components["schemas"]["SourceOut"] | null;
            owner?: string;
            readers: components["schemas"]["SourceJob"][];
            reason: string;
            registered: boolean;
            results: components["schemas"]["SourceCheck"][];
            revision?: number;
            state: string;
            team?: string;
            trusted: boolean;
            /** Format: date-time */
            updated_at: string;
            upstream: components["schemas"]["SourceCause"][];
            version: components["schemas"]["SourceVersion"] | null;
            versions: number;
            warn_age?: string;
            writers: components["schemas"]["SourceJob"][];
        };
        SourceDocument: {
            chunks?: number | null;
            /** Format: date-time */
            crawled_at: string;
            embedding_model?: string;
            id: string;
            /** Format: date-time */
            modified_at?: string | null;
            title?: string;
            uri?: string;
            version: string;
            versions?: number;
        };
        SourceJob: {
            /** Format: date-time */
            at: string;
            /** Format: date-time */
            good_at: string | null;
            name: string;
            note?: string;
            run: string;
            state: string;
        };
        SourceList: {
            items: components["schemas"]["Source"][];
            next?: string;
        };
        SourceOut: {
            /** Format: date-time */
            at: string;
            by: string;
            cause?: string;
            reason: string;
            /** Format: date-time */
            until: string | null;
        };
        SourceReadiness: {
            accuracy: components["schemas"]["SourceShare"] | null;
            audit: components["schemas"]["SourceAudit"] | null;
            breaches: components["schemas"]["SourceBreach"][];
            error_rate: components["schemas"]["SourceShare"] | null;
            every_ms: number | null;
            fresh: components["schemas"]["SourceShare"] | null;
            intervals: number;
            plan: components["schemas"]["AuditPlan"] | null;
            runs: number;
            source: components["schemas"]["Source"];
        };
        SourceShare: {
            high: number;
            hits: number;
            low: number;
            n: number;
            value: number;
        };
        SourceUse: {
            age_ms: number | null;
            /** Format: date-time */
            at: string;
            causes: components["schemas"]["SourceCause"][];
            documents: components["schemas"]["DocumentUse"][];
            name: string;
            newer: components["schemas"]["SourceVersion"] | null;
            sentence: string;
            source?: string;
            state: string;
            step_id: string;
            version: components["schemas"]["SourceVersion"] | null;
        };
        SourceUseList: {
            items: components["schemas"]["SourceUse"][];
            next?: string;
        };
        SourceVersion: {
            /** Format: date-time */
            at: string;
            items: number | null;
            job?: string;
            job_run?: string;
            version: string;
        };
        SplitIncidentRequest: {
            fingerprints: string[];
            reason?: string;
        };
        Standard: {
            rules: components["schemas"]["StandardRule"][];
            version: string;
        };
        StandardBreak: {
            refused: boolean;
            rule: string;
            text: string;
            waive_reason?: string;
            /** Format: date-time */
            waived_till: string | null;
            why: string;
        };
        StandardRule: {
            id: string;
            refuse: boolean;
            require: {
                [key: string]: unknown;
            };
            text: string;
            when: {
                [key: string]: unknown;
            };
        };
        StartExperimentRequest: {
            agent: string;
            baseline?: string;
            bias?: components["schemas"]["BiasPairs"] | null;
            dataset?: string;
            dataset_version?: number;
            evaluators?: string[];
            kind?: string;
            note?: string;
            proof?: components["schemas"]["Proof"] | null;
            repeats?: number;
        };
        StartRunbookRequest: {
            reason: string;
            runbook: string;
        };
        Steering: {
            hold: components["schemas"]["RunHold"] | null;
            notes: components["schemas"]["RunNote"][];
        };
        Step: {
            agent?: string;
            attributes?: {
                [key: string]: unknown;
            };
            cost?: components["schemas"]["Cost"];
            counted: boolean;
            decision_id?: string;
            dialect?: string;
            documents?: components["schemas"]["Message"][];
            duration_ms: number | null;
            error: components["schemas"]["StepError"] | null;
            events?: components["schemas"]["StepEvent"][];
            finish_reason?: string;
            flags?: string[];
            id: string;
            input?: components["schemas"]["Message"][];
            kind: string;
            linked?: components["schemas"]["LinkedStep"][];
            links?: string[];
            map_version?: number;
            message_refs?: {
                [key: string]: string;
            };
            model?: string;
            model_requested?: string;
            name: string;
            output?: components["schemas"]["Message"][];
            parent_id: string | null;
            provider?: string;
            resource?: {
                [key: string]: unknown;
            };
            response_id?: string;
            revision?: number;
            run_id?: string;
            scope?: string;
            service?: string;
            session?: string;
            source?: string;
            span_id?: string;
            start_ns: string;
            /** Format: date-time */
            started_at?: string;
            status: string;
            system?: components["schemas"]["Message"][];
            tool?: components["schemas"]["ToolCall"] | null;
            tools_offered?: components["schemas"]["Message"][];
            trace_id?: string;
            ttft_ms?: number | null;
            usage?: components["schemas"]["Usage"];
            user?: string;
            version?: string;
        };
        StepError: {
            message?: string;
            type?: string;
        };
        StepEvent: {
            /** Format: date-time */
            at: string;
            attributes?: {
                [key: string]: unknown;
            };
            name: string;
        };
        StepList: {
            items: components["schemas"]["Step"][];
            next?: string;
        };
        Stop: {
            by: string;
            /** Format: date-time */
            created_at: string;
            id: string;
            /** Format: date-time */
            lifted_at: string | null;
            lifted_by?: string;
            reason: string;
            receipt: components["schemas"]["Receipt"] | null;
            target: components["schemas"]["StopTarget"];
            /** Format: date-time */
            until: string | null;
        };
        StopList: {
            items: components["schemas"]["Stop"][];
            next?: string;
        };
        StopNode: {
            calls_cut: number;
            node: string;
            state: string;
            /** Format: date-time */
            stopped_at: string;
        };
        StopPreview: {
            agents: string[];
            calls: components["schemas"]["CutCall"][];
            target: components["schemas"]["StopTarget"];
            through_door: boolean;
            total: number;
        };
        StopTarget: {
            kind: string;
            value?: string;
        };
        Suspect: {
            agent?: string;
            kind: string;
            name: string;
            p: number;
            reasons: string[];
            step_id: string;
        };
        SuspectVerdict: {
            agent: string;
            /** Format: date-time */
            at: string;
            by: string;
            kind: string;
            reason?: string;
            run_id: string;
            step_id: string;
            step_name: string;
            team: string;
        };
        SuspectVerdicts: {
            items: components["schemas"]["SuspectVerdict"][];
            teams: components["schemas"]["SuspectWeights"][];
        };
        SuspectWeightChange: {
            evidence: string;
            now: number;
            shipped: number;
        };
        SuspectWeights: {
            changes: components["schemas"]["SuspectWeightChange"][];
            team: string;
            verdicts: number;
        };
        Suspects: {
            agent: string;
            agent_p: number;
            asked: string[];
            items: components["schemas"]["Suspect"][];
            learned: components["schemas"]["SuspectWeights"] | null;
            steps: number;
            verdict: components["schemas"]["SuspectVerdict"] | null;
        };
        SwitchBackRequest: {
            reason: string;
        };
        SwitchUpstreamRequest: {
            reason: string;
            to: string;
            /** Format: date-time */
            until?: string | null;
        };
        TakeOverRequest: {
            answer?: components["schemas"]["HandAnswer"] | null;
            let_go_on?: boolean;
            reason?: string;
        };
        TakeSourceOutRequest: {
            cause?: string;
            for?: string;
            reason: string;
        };
        Takeover: {
            approval: string;
            /** Format: date-time */
            at: string;
            person: string;
            /** Format: date-time */
            until: string;
        };
        TaskWorth: {
            minutes: components["schemas"]["Assumption"];
            money: components["schemas"]["Assumption"];
        };
        Team: {
            channel?: string;
            /** Format: date-time */
            created_at: string;
            id: string;
            name: string;
            people: string[];
            version: number;
        };
        TeamConformance: {
            agents: number;
            conforming: number;
            rules: components["schemas"]["BrokenStandard"][];
            share: number;
            team: string;
            waived: number;
        };
        TeamList: {
            items: components["schemas"]["Team"][];
            next?: string;
        };
        TellFeedbackRequest: {
            text: string;
        };
        TellRunRequest: {
            every?: boolean;
            seconds?: number;
            text: string;
        };
        TextDifference: {
            path: string;
            words: components["schemas"]["WordPiece"][];
        };
        Token: {
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string;
            grants: components["schemas"]["Grant"][];
            id: string;
            kind: string;
            /** Format: date-time */
            last_used: string | null;
            name: string;
            owner: string;
            revoked: boolean;
        };
        TokenIssuer: {
            allow_private: boolean;
            audiences: string[];
            issuer: string;
            jwks?: unknown;
            jwks_url?: string;
            max_life_s: number;
            name: string;
            preset: string;
            required: {
                [key: string]: string[];
            };
            revision: number;
            rules: components["schemas"]["TokenRule"][];
            user_claim?: string;
            uses: string[];
        };
        TokenIssuerList: {
            items: components["schemas"]["TokenIssuer"][];
            next?: string;
        };
        TokenList: {
            items: components["schemas"]["Token"][];
            next?: string;
        };
        TokenRule: {
            agent: string;
            claims: {
                [key: string]: string;
            };
        };
        ToldFeedback: {
            contact: string;
            feedback: components["schemas"]["Feedback"];
        };
        Tool: {
            accepted?: string;
            /** Format: date-time */
            accepted_at: string | null;
            accepted_by?: string;
            alias: string;
            /** Format: date-time */
            changed_at: string;
            classes: string[];
            description: string;
            effect: string;
            findings: components["schemas"]["ToolFinding"][];
            /** Format: date-time */
            first_seen: string;
            listed: string;
            name: string;
            paths: components["schemas"]["ToolPaths"];
            reason?: string;
            revision: number;
            state: string;
            title?: string;
            upstream: string;
            vouches: boolean;
        };
        ToolCall: {
            arguments: string | null;
            call_id?: string;
            name: string;
            result: string | null;
        };
        ToolDetail: {
            accepted?: string;
            /** Format: date-time */
            accepted_at: string | null;
            accepted_by?: string;
            alias: string;
            /** Format: date-time */
            changed_at: string;
            classes: string[];
            definition: unknown;
            description: string;
            difference: components["schemas"]["ToolDifference"];
            effect: string;
            findings: components["schemas"]["ToolFinding"][];
            /** Format: date-time */
            first_seen: string;
            listed: string;
            name: string;
            paths: components["schemas"]["ToolPaths"];
            reason?: string;
            revision: number;
            state: string;
            suggested: components["schemas"]["ToolSuggestion"];
            title?: string;
            upstream: string;
            versions: components["schemas"]["ToolVersion"][];
            vouches: boolean;
        };
        ToolDifference: {
            from?: string;
            parts: components["schemas"]["PartDifference"][];
            texts: components["schemas"]["TextDifference"][];
            to?: string;
        };
        ToolFinding: {
            /** Format: date-time */
            at: string;
            /** Format: date-time */
            closed_at?: string | null;
            code: string;
            detail?: string;
            hash?: string;
            id?: number;
            resolution?: string;
            serious: boolean;
            text: string;
            tool?: string;
            upstream?: string;
        };
        ToolFindingList: {
            items: components["schemas"]["ToolFinding"][];
            next?: string;
        };
        ToolList: {
            items: components["schemas"]["Tool"][];
            next?: string;
        };
        ToolPaths: {
            amount?: string[];
            destination?: string[];
            recipient?: string[];
        };
        ToolSuggestion: {
            classes: string[];
            effect: string;
            paths: components["schemas"]["ToolPaths"];
            why: string;
        };
        ToolVersion: {
            /** Format: date-time */
            accepted_at: string | null;
            accepted_by?: string;
            definition: unknown;
            /** Format: date-time */
            first_seen: string;
            hash: string;
            /** Format: date-time */
            last_seen: string;
        };
        Topic: {
            asked_again: number;
            before: number | null;
            cost_per_run: number | null;
            cost_usd: number | null;
            /** Format: date-time */
            created_at: string;
            demand: components["schemas"]["Share"];
            drift: string;
            environment?: string;
            id: string;
            name?: string;
            new: boolean;
            resolved: components["schemas"]["Share"];
            revision: number;
            runs: number;
            satisfied: components["schemas"]["Share"];
            sessions: number;
            team?: string;
            title: string;
            unanswered: components["schemas"]["Share"];
            words: string[];
        };
        TopicAgent: {
            agent: string;
            asked_again: number;
            before: number | null;
            cost_per_run: number | null;
            cost_usd: number | null;
            demand: components["schemas"]["Share"];
            drift: string;
            resolved: components["schemas"]["Share"];
            runs: number;
            satisfied: components["schemas"]["Share"];
            sessions: number;
            unanswered: components["schemas"]["Share"];
        };
        TopicBucket: {
            all: number;
            /** Format: date-time */
            at: string;
            runs: number;
            unanswered: number;
        };
        TopicCoverage: {
            asked: number;
            backlog: number;
            by: string;
            id?: string;
            records: string;
            supported: components["schemas"]["SourceShare"] | null;
            topic: string;
        };
        TopicExample: {
            agent: string;
            /** Format: date-time */
            at: string;
            run: string;
            text?: string;
        };
        TopicFigures: {
            asked_again: number;
            before: number | null;
            cost_per_run: number | null;
            cost_usd: number | null;
            demand: components["schemas"]["Share"];
            drift: string;
            resolved: components["schemas"]["Share"];
            runs: number;
            satisfied: components["schemas"]["Share"];
            sessions: number;
            unanswered: components["schemas"]["Share"];
        };
        TopicList: {
            coverage: components["schemas"]["TopicsSeen"];
            /** Format: date-time */
            from: string;
            items: components["schemas"]["Topic"][];
            /** Format: date-time */
            to: string;
            ungrouped: components["schemas"]["TopicFigures"];
        };
        TopicPage: {
            agents: components["schemas"]["TopicAgent"][];
            asked_again: number;
            before: number | null;
            cost_per_run: number | null;
            cost_usd: number | null;
            /** Format: date-time */
            created_at: string;
            demand: components["schemas"]["Share"];
            drift: string;
            environment?: string;
            examples: components["schemas"]["TopicExample"][];
            /** Format: date-time */
            from: string;
            id: string;
            name?: string;
            new: boolean;
            resolved: components["schemas"]["Share"];
            revision: number;
            runs: number;
            satisfied: components["schemas"]["Share"];
            series: components["schemas"]["TopicBucket"][];
            sessions: number;
            team?: string;
            title: string;
            /** Format: date-time */
            to: string;
            unanswered: components["schemas"]["Share"];
            words: string[];
        };
        TopicRun: {
            agent: string;
            asked_again: boolean;
            /** Format: date-time */
            at: string;
            cost_usd: number | null;
            environment?: string;
            failed: boolean;
            near: number;
            outcome?: string;
            run: string;
            session?: string;
            team?: string;
            topic?: string;
            verdict?: string;
            version?: string;
        };
        TopicRunList: {
            items: components["schemas"]["TopicRun"][];
            next?: string;
        };
        TopicsSeen: {
            failed: number;
            runs: number;
            skipped: number;
            waiting: number;
        };
        TriedAlerts: {
            alerts: components["schemas"]["Alert"][];
            changes?: components["schemas"]["Change"][];
            problems?: components["schemas"]["MappingProblem"][];
        };
        TriedContent: {
            blocked: boolean;
            forwarded: string;
            found: components["schemas"]["ContentFound"][];
            stored: string;
        };
        TriedInvoke: {
            answer: string;
            calls: number;
            refused: string[];
            run_id?: string;
            took_ms: number;
            valid: boolean;
            why?: string;
            works: boolean;
        };
        TryAlertSourceRequest: {
            body: string;
            headers?: {
                [key: string]: string;
            };
            kind: string;
            mapping?: components["schemas"]["AlertMapping"] | null;
        };
        TryChannelRequest: {
            to?: string;
        };
        TryContentRequest: {
            agent?: string;
            all?: boolean;
            answer?: boolean;
            environment?: string;
            team?: string;
            text: string;
        };
        TryEvaluatorOnRunsRequest: {
            agents?: string[];
            environment?: string;
            judge?: components["schemas"]["Judge"] | null;
            kind: string;
            name?: string;
            rules?: {
                [key: string]: string;
            };
            runs?: number;
            schema?: unknown;
            team?: string;
            when?: string;
        };
        TryEvaluatorRequest: {
            answer: string;
            documents?: string[];
            judge?: components["schemas"]["Judge"] | null;
            kind: string;
            prompt?: string;
            rules?: {
                [key: string]: string;
            };
            schema?: unknown;
            when?: string;
        };
        TryInvokeRequest: {
            input: string;
            target?: components["schemas"]["PutInvokeTargetRequest"] | null;
        };
        TryKPIRequest: {
            about?: string;
            count?: components["schemas"]["KPICount"] | null;
            direction?: string;
            environment?: string;
            from?: string;
            mean?: components["schemas"]["KPIMean"] | null;
            owner?: string;
            per_run?: components["schemas"]["KPIPerRun"] | null;
            quantile?: components["schemas"]["KPIQuantile"] | null;
            ratio?: components["schemas"]["KPIRatio"] | null;
            repeat?: components["schemas"]["KPIRepeat"] | null;
            share?: components["schemas"]["KPIShare"] | null;
            team?: string;
            title?: string;
            to?: string;
            unit: string;
        };
        TryOutcomeRuleRequest: {
            days?: number;
            deadline?: string;
            environment?: string;
            name?: string;
            outcome?: string;
            stuck?: string;
            team?: string;
            where: string;
        };
        TryRuleRequest: {
            agents?: string[];
            days?: number;
            environment?: string;
            query?: components["schemas"]["RuleQuery"] | null;
            rest?: string;
            scope?: string;
            team?: string;
            when: string;
            window?: string;
        };
        TryRunbookRequest: {
            runbook: string;
        };
        UnansweredQuestion: {
            agent?: string;
            /** Format: date-time */
            at: string;
            hidden: boolean;
            outcome: string;
            run: string;
            sources: string[];
            task?: string;
            text?: string;
            topic?: string;
            topic_id?: string;
        };
        UnansweredQuestionList: {
            items: components["schemas"]["UnansweredQuestion"][];
            next?: string;
        };
        UndoActRequest: {
            reason: string;
        };
        UndoMoveRequest: {
            reason?: string;
        };
        UnknownAgent: {
            agent?: string;
            candidates: string[];
            claims: components["schemas"]["AgentClaim"][];
            /** Format: date-time */
            decided_at: string | null;
            decided_by?: string;
            environment?: string;
            /** Format: date-time */
            first_seen: string;
            id: string;
            last_run_id?: string;
            /** Format: date-time */
            last_seen: string;
            name: string;
            /** Format: date-time */
            opened_at: string;
            reason?: string;
            run_id?: string;
            seen: number;
            seen_since: number;
            state: string;
            step_id?: string;
            suggested_name: string;
            team?: string;
            where: string;
            why: string;
        };
        UnknownAgentList: {
            items: components["schemas"]["UnknownAgent"][];
            next?: string;
        };
        UnknownReasonRequest: {
            reason: string;
        };
        UnpinAgentRequest: {
            from?: string;
            kind: string;
            reason: string;
        };
        UpdateAgentRequest: {
            aliases?: components["schemas"]["AgentAlias"][] | null;
            autonomy?: string | null;
            content?: string | null;
            data_classes?: string[] | null;
            enforcement?: string | null;
            kind?: string | null;
            labels: {
                [key: string]: string;
            };
            mode?: string | null;
            owner?: string | null;
            purpose?: string | null;
            reason?: string;
            revision?: number;
            sponsor?: string | null;
            task?: string | null;
        };
        UpdateIncidentRequest: {
            communications?: string | null;
            kind?: string | null;
            lead?: string | null;
            owner?: string | null;
            reason?: string;
            revision?: number;
            severity?: string | null;
            title?: string | null;
        };
        UpdateLessonRequest: {
            agents?: string[];
            environment?: string;
            /** Format: date-time */
            expires_at: string;
            incident?: string;
            measure?: string;
            owner: string;
            revision: number;
            team?: string;
            text: string;
            title: string;
        };
        UpdatePersonRequest: {
            disabled?: boolean | null;
            email?: string | null;
            full_name?: string | null;
            grants?: components["schemas"]["Grant"][] | null;
            password?: string | null;
            teams?: string[] | null;
            version: number;
        };
        Upstream: {
            allow_private: boolean;
            ask_hosts?: string[];
            classes?: string[];
            connection?: components["schemas"]["Connection"] | null;
            /** Format: date-time */
            created_at: string;
            credential: components["schemas"]["Credential"] | null;
            dialect?: string;
            environment: string;
            external: boolean;
            fallback?: string[];
            headers?: {
                [key: string]: string;
            };
            health: components["schemas"]["UpstreamHealth"];
            health_path?: string;
            kind: string;
            max_tokens?: number;
            models?: components["schemas"]["ModelRule"][];
            name: string;
            peer?: components["schemas"]["Peer"] | null;
            region?: string;
            revision: number;
            routes?: components["schemas"]["Route"][];
            shared: boolean;
            switch?: components["schemas"]["UpstreamSwitch"] | null;
            team: string;
            timeout_ms?: number;
            /** Format: date-time */
            updated_at: string;
            url: string;
        };
        UpstreamHealth: {
            calls: number;
            errors: number;
            last_error?: string;
            p95_ms: number | null;
            /** Format: date-time */
            since: string | null;
            state: string;
        };
        UpstreamList: {
            items: components["schemas"]["Upstream"][];
            next?: string;
        };
        UpstreamSwitch: {
            /** Format: date-time */
            at: string;
            by: string;
            reason: string;
            to: string;
            /** Format: date-time */
            until: string | null;
        };
        UpstreamTools: {
            digest: string;
            items: components["schemas"]["Tool"][];
            upstream: string;
        };
        Usage: {
            input_cache_read: number | null;
            input_cache_write: number | null;
            input_total: number | null;
            output_reasoning: number | null;
            output_total: number | null;
        };
        UsedResource: {
            action: string;
            classes: string[];
            count: number;
            effects: string[];
            /** Format: date-time */
            last: string;
            resource: string;
        };
        ValidatePolicyRequest: {
            cedar: string;
            guardrail?: boolean;
            name?: string;
            team?: string;
        };
        ValueAssumptions: {
            /** Format: date-time */
            at?: string | null;
            by?: string;
            harm: {
                [key: string]: components["schemas"]["Assumption"];
            };
            hour: components["schemas"]["Assumption"];
            reason?: string;
            source: string;
            tasks: {
                [key: string]: components["schemas"]["TaskWorth"];
            };
            version: number;
        };
        ValueAssumptionsList: {
            items: components["schemas"]["ValueAssumptions"][];
            next?: string;
        };
        ValueLedger: {
            assumptions: components["schemas"]["ValueAssumptions"] | null;
            cost: number | null;
            currency: string;
            /** Format: date-time */
            from: string;
            harm: number | null;
            high: number | null;
            lines: components["schemas"]["ValueLine"][];
            low: number | null;
            net: number | null;
            people: number | null;
            priced: number;
            runs: number;
            sensitivity: components["schemas"]["ValueSwing"][];
            /** Format: date-time */
            to: string;
            unknown: number;
            value: number | null;
            valued: number;
        };
        ValueLine: {
            cost: number;
            harm: number;
            outcome: string;
            people_minutes: number;
            records: string;
            runs: number;
            task: string;
            value: number;
        };
        ValueSwing: {
            high: number;
            low: number;
            name: string;
            net_high: number;
            net_low: number;
        };
        Vote: {
            /** Format: date-time */
            at: string;
            counts: boolean;
            groups: string[];
            name: string;
            opened: boolean;
            person: string;
            reason?: string;
            verdict: string;
        };
        VoteGroup: {
            count: number;
            have: number;
            name: string;
        };
        WaiveRequest: {
            reason: string;
            rule: string;
            until: string;
        };
        Waiver: {
            agent: string;
            /** Format: date-time */
            at: string;
            by: string;
            reason: string;
            rule: string;
            /** Format: date-time */
            till: string;
        };
        WaiverList: {
            items: components["schemas"]["Waiver"][];
            next?: string;
        };
        Why: {
            agent?: string;
            asked: string[];
            blast: components["schemas"]["WhyBlast"] | null;
            causes: components["schemas"]["WhyCause"][];
            known: boolean;
            links: components["schemas"]["WhyLink"][];
            nodes: components["schemas"]["WhyNode"][];
            omitted: number;
            possible: components["schemas"]["WhyCause"][];
            ruled_out: components["schemas"]["WhyNote"][];
            run_id: string;
            sentence: string;
            suspects: components["schemas"]["Suspect"][];
            unknown: components["schemas"]["WhyUnknown"][];
            upstream: components["schemas"]["WhyCause"][];
            wrong: boolean;
        };
        WhyBlast: {
            agents: string[];
            failed: number;
            /** Format: date-time */
            from: string;
            node: string;
            records: components["schemas"]["IncidentRecord"][];
            run_ids: string[];
            runs: number;
            search: string;
            sentence: string;
            /** Format: date-time */
            to: string;
            truncated: boolean;
            users: number | null;
        };
        WhyCause: {
            kind: string;
            name: string;
            node: string;
            path: string[];
            reasons: string[];
            score: number;
        };
        WhyEvidence: {
            id: string;
            kind: string;
            text: string;
        };
        WhyLink: {
            from: string;
            how: string;
            to: string;
        };
        WhyNode: {
            /** Format: date-time */
            at: string | null;
            evidence: components["schemas"]["WhyEvidence"][];
            id: string;
            kind: string;
            name: string;
            role: string;
            sentence: string;
            state: string;
            version: string | null;
        };
        WhyNote: {
            kind: string;
            node?: string;
            text: string;
        };
        WhyUnknown: {
            blocks: boolean;
            kind: string;
            node: string;
            supply: string;
            text: string;
        };
        WordPiece: {
            change: string;
            text: string;
        };
        Workload: {
            agent: string;
            cgroup?: string;
            /** Format: date-time */
            created_at: string;
            exe?: string;
            /** Format: date-time */
            expires_at: string | null;
            id: string;
            parent_pid?: number;
            parent_start?: number;
            uid: number | null;
        };
        WorkloadList: {
            items: components["schemas"]["Workload"][];
            next?: string;
        };
        WouldAnswer: {
            cut: boolean;
            decisions: number;
            /** Format: date-time */
            from: string;
            groups: components["schemas"]["ChangeGroup"][];
            more: number;
            refused: number;
            /** Format: date-time */
            to: string;
        };
        stringList: {
            items: string[];
            next?: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    ListAgentMarks: {
        parameters: {
            query?: {
                agent?: string;
                environment?: string;
                from?: string;
                team?: string;
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentMarksList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListAgents: {
        parameters: {
            query?: {
                broken?: boolean;
                contained?: boolean;
                cursor?: string;
                environment?: string;
                lifecycle?: string;
                limit?: number;
                observed?: boolean;
                origin?: string;
                q?: string;
                sort?: string;
                team?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CreateAgent: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateAgentRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AdoptAgents: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AdoptAgentsRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Adoption"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    UpdateAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateAgentRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AgentBehaviour: {
        parameters: {
            query?: {
                from?: string;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentBehaviour"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    BreakGlass: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BreakGlassRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListAgentClaims: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentMatchList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ContainAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ContainAgentRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RevokeCredential: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RevokeCredentialRequest"];
            };
        };
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    EnforceAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EnforceRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnforceAnswer"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetGate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Gate"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PassGate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PassGateRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Gate"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListGateChanges: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GateChanges"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ApproveGate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApproveGateRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Gate"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutGateSet: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutGateSetRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Gate"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AgentInventory: {
        parameters: {
            query?: {
                format?: string;
                from?: string;
                to?: string;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Inventory"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ApproveAgentPart: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApprovePartRequest"];
            };
        };
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AgentInventoryChanges: {
        parameters: {
            query?: {
                days?: number;
                from?: string;
                to?: string;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InventoryChangeList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetInvokeTarget: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvokeTarget"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutInvokeTarget: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutInvokeTargetRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvokeTarget"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    TryInvoke: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TryInvokeRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TriedInvoke"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListJoinTokens: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JoinTokenList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CreateJoinToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateJoinTokenRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JoinToken"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RevokeJoinToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListAgentJWKs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentJWKList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AddAgentJWKs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddAgentJWKsRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentJWKList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RemoveAgentJWK: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                kid: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListAgentKeys: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentKeyList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CreateAgentKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateAgentKeyRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentKey"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RevokeAgentKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListLogKinds: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogKinds"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    MergeAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MergeAgentRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetAgentOAuth: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentOAuth"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutAgentOAuth: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutAgentOAuthRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentOAuth"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PinAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PinAgentRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PromoteAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PromoteAgentRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ReleaseAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AgentReasonRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RetireAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AgentReasonRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListAgentRevisions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentRevisionList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AgentSummary: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentSummary"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CreateAgentSVID: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateAgentSVIDRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentSVID"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AgentTimeline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentEventList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    UnmergeAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AgentReasonRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    UnpinAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UnpinAgentRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListAgentVersions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentVersionList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ApproveAgentVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                hash: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApproveVersionRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentVersion"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    WaiveStandard: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WaiveRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Waiver"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    EndWaiver: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
                rule: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListWorkloads: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkloadList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CreateWorkload: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateWorkloadRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workload"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteWorkload: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListAlertSources: {
        parameters: {
            query?: {
                purpose?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertSourceList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    TryAlertSource: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TryAlertSourceRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TriedAlerts"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetAlertSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertSource"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutAlertSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutAlertSourceRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertSourceWithSecret"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteAlertSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RotateAlertSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RotateAlertSourceRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertSourceWithSecret"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListAlerts: {
        parameters: {
            query?: {
                agent?: string;
                cursor?: string;
                environment?: string;
                from?: string;
                limit?: number;
                q?: string;
                severity?: string;
                source?: string;
                state?: string;
                team?: string;
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetAlert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertDetail"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CloseAlert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CloseAlertRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertDetail"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AnnotationQueue: {
        parameters: {
            query?: {
                agent?: string;
                environment?: string;
                evaluator?: string;
                limit?: number;
                team?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvaluationList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListApprovals: {
        parameters: {
            query?: {
                agent?: string;
                cursor?: string;
                limit?: number;
                resource?: string;
                run?: string;
                state?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ApprovalIndicators: {
        parameters: {
            query?: {
                from?: string;
                team?: string;
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalIndicators"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    Approve: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApproveRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DenyApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApprovalReasonRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    EditApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditApprovalRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GiveBack: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApprovalReasonRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    OpenApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    TakeOver: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TakeOverRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListAudit: {
        parameters: {
            query?: {
                cursor?: string;
                from?: string;
                kind?: string;
                limit?: number;
                to?: string;
                who?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditRecordList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListAuditCheckpoints: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditCheckpointList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListAuditKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditKeyList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RotateAuditKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RotateAuditKeyRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditKeyList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    VerifyAudit: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditVerification"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DownloadBackup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["RunUpdated"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListBackups: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Backups"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    MakeBackup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Backup"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    TryBackup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BackupTrial"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListBiasPlans: {
        parameters: {
            query?: {
                agent?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BiasPlanList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutBiasPlan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutBiasPlanRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BiasPlan"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteBiasPlan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListBudgets: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BudgetList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetBudget: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Budget"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutBudget: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutBudgetRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Budget"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteBudget: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetAuthority: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Authority"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RotateAuthority: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RotateAuthorityRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Authority"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListCanaries: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CanaryList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetCanary: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Canary"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutCanary: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutCanaryRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Canary"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteCanary: {
        parameters: {
            query?: {
                reason?: string;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AcceptCanary: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CanaryReasonRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Canary"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AskCanary: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CanaryReasonRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Canary"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListChanges: {
        parameters: {
            query?: {
                agent?: string;
                cursor?: string;
                environment?: string;
                from?: string;
                kind?: string;
                limit?: number;
                only?: boolean;
                q?: string;
                source?: string;
                team?: string;
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangeList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CreateChange: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateChangeRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Change"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetChange: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Change"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListChannelKinds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelKindList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListChannels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutChannel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutChannelRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Channel"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RemoveChannel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListChannelStates: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelStateList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    TryChannel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TryChannelRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivery"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    LinkChat: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LinkChatRequest"];
            };
        };
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListComplianceAssessments: {
        parameters: {
            query?: {
                framework?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ComplianceAssessmentList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetComplianceAssessment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ComplianceAssessment"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ExportCompliance: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CompliancePack"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListComplianceFrameworks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ComplianceFrameworkList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetComplianceFramework: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ComplianceFramework"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutComplianceFramework: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutComplianceFrameworkRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ComplianceFramework"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteComplianceFramework: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AssessCompliance: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AssessComplianceRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ComplianceAssessment"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutComplianceSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutComplianceScheduleRequest"];
            };
        };
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListFrameworks: {
        parameters: {
            query?: {
                agent?: string;
                environment?: string;
                host?: string;
                keys?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FrameworkList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ConnectProgress: {
        parameters: {
            query?: {
                agent?: string;
                key?: string;
                since?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConnectProgress"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    Connect: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                framework: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConnectRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConnectedAgent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListConnections: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OtherSystems"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetContacts: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                person: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Contacts"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutContacts: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                person: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutContactsRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Contacts"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ContentClasses: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["stringList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListContentRules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContentRuleList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    TryContent: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TryContentRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TriedContent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetContentRule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContentRule"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutContentRule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutContentRuleRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContentRule"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteContentRule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    Dependency: {
        parameters: {
            query?: {
                agent?: string;
                environment?: string;
                from?: string;
                month?: string;
                team?: string;
                to?: string;
                where?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dependency"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CostFile: {
        parameters: {
            query?: {
                kind?: string;
                month?: string;
                team?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CostFile"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ForecastCost: {
        parameters: {
            query?: {
                agent?: string;
                environment?: string;
                from?: string;
                month?: string;
                team?: string;
                to?: string;
                where?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CostForecast"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListIdleAgents: {
        parameters: {
            query?: {
                days?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IdleAgentList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListInvoices: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvoiceList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ImportInvoice: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImportInvoiceRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invoice"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    Reconcile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reconciliation"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteInvoice: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CostReport: {
        parameters: {
            query?: {
                month?: string;
                pdf?: boolean;
                team?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MonthlyReport"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    SendCostReport: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendCostReportRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CostSettings"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListRerates: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RerateList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PlanRerate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlanRerateRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rerate"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetRerate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rerate"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ApplyRerate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rerate"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    UndoRerate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rerate"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    Savings: {
        parameters: {
            query?: {
                agent?: string;
                environment?: string;
                from?: string;
                month?: string;
                team?: string;
                to?: string;
                where?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Savings"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetCostSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CostSettings"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutCostSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CostSettings"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CostSettings"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    SplitCost: {
        parameters: {
            query?: {
                agent?: string;
                by?: string;
                environment?: string;
                from?: string;
                limit?: number;
                month?: string;
                team?: string;
                to?: string;
                where?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CostSplit"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListCoverage: {
        parameters: {
            query?: {
                agent?: string;
                from?: string;
                limit?: number;
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentCoverageList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListDatasets: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutDataset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutDatasetRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dataset"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteDataset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListDatasetExports: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetExportList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ExportDataset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExportDatasetRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetExport"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListDatasetItems: {
        parameters: {
            query?: {
                limit?: number;
                version?: number;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetItemList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AddDatasetItem: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddDatasetItemRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetItem"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RemoveDatasetItem: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                item: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListDecisions: {
        parameters: {
            query?: {
                action?: string;
                agent?: string;
                code?: string;
                cursor?: string;
                enforced?: string;
                from?: string;
                limit?: number;
                q?: string;
                result?: string;
                run?: string;
                session?: string;
                team?: string;
                to?: string;
                tool?: string;
                upstream?: string;
                user?: string;
                verdict?: string;
                would?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DecisionList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    Decide: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DecideRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DecisionAnswer"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    EraseUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EraseUserRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErasedUser"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetDecision: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Decision"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AwaitDecision: {
        parameters: {
            query?: {
                wait_ms?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DecisionAnswer"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CompleteDecision: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CompleteDecisionRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CompletedDecision"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DecisionReceipt: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DecisionReceipt"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListDeliveries: {
        parameters: {
            query?: {
                before?: string | null;
                channel?: string;
                limit?: number;
                object?: string;
                state?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListDetectors: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetectorList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutDetector: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutDetectorRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DetectorSetting"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ResetDetector: {
        parameters: {
            query?: {
                agent?: string;
                reason?: string;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListDrills: {
        parameters: {
            query?: {
                agent?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DrillList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetDrill: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Drill"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutDrill: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutDrillRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Drill"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteDrill: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RunDrill: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Drill"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListErasures: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErasureList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ErasePerson: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ErasePersonRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Erasure"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListEscalationPolicies: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EscalationPolicyList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutEscalationPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutEscalationPolicyRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EscalationPolicy"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteEscalationPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    LabelRun: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LabelRunRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Evaluation"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    EvaluationSummary: {
        parameters: {
            query?: {
                agent?: string;
                environment?: string;
                evaluator?: string;
                from?: string;
                team?: string;
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvaluationSummary"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListEvaluations: {
        parameters: {
            query?: {
                agent?: string;
                cursor?: string;
                environment?: string;
                evaluator?: string;
                from?: string;
                limit?: number;
                run?: string;
                source?: string;
                team?: string;
                to?: string;
                verdict?: string;
                version?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvaluationList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    TryEvaluatorOnRuns: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TryEvaluatorOnRunsRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvaluatorTrial"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    TryEvaluator: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TryEvaluatorRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Evaluation"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListEvaluators: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvaluatorList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutEvaluator: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutEvaluatorRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Evaluator"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteEvaluator: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    Events: {
        parameters: {
            query?: {
                after?: string;
                run?: string;
                types?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["RunUpdated"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListExperiments: {
        parameters: {
            query?: {
                agent?: string;
                kind?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExperimentList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    StartExperiment: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StartExperimentRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Experiment"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetExperiment: {
        parameters: {
            query?: {
                baseline?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Experiment"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    StopExperiment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RemoveFactor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListFeedback: {
        parameters: {
            query?: {
                agent?: string;
                cursor?: string;
                environment?: string;
                from?: string;
                giver?: string;
                joined?: string;
                limit?: number;
                q?: string;
                run?: string;
                source?: string;
                team?: string;
                to?: string;
                verdict?: string;
                version?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FeedbackList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CreateFeedback: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateFeedbackRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Feedback"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    EraseFeedback: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EraseFeedbackRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErasedFeedback"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListFeedbackForms: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FeedbackFormList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutFeedbackForm: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutFeedbackFormRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FeedbackForm"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteFeedbackForm: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    BindFeedbackKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BindFeedbackKeyRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FeedbackKey"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CreateFeedbackLink: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateFeedbackLinkRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FeedbackLink"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    FeedbackPatterns: {
        parameters: {
            query?: {
                agent?: string;
                environment?: string;
                from?: string;
                least?: number;
                limit?: number;
                team?: string;
                to?: string;
                version?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FeedbackPatterns"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    FeedbackSummary: {
        parameters: {
            query?: {
                agent?: string;
                environment?: string;
                from?: string;
                team?: string;
                to?: string;
                version?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FeedbackSummary"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetFeedback: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Feedback"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    SetFeedbackStatus: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetFeedbackStatusRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Feedback"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RevokeFeedbackStatus: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    TellFeedback: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TellFeedbackRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ToldFeedback"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListFindings: {
        parameters: {
            query?: {
                agent?: string;
                cursor?: string;
                detector?: string;
                environment?: string;
                from?: string;
                limit?: number;
                run?: string;
                severity?: string;
                state?: string;
                team?: string;
                to?: string;
                verdict?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FindingList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetFinding: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Finding"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    FalseAlarm: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FalseAlarmRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Finding"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    JudgeFinding: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JudgeFindingRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Finding"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    Health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListIncidentActions: {
        parameters: {
            query?: {
                kind?: string;
                mine?: boolean;
                unagreed?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentTaskList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    UndoIncidentAct: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UndoActRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentAct"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    UndoIncidentMove: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UndoMoveRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Incident"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ChangeIncidentTask: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeIncidentTaskRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentTask"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetIncidentWeights: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentWeights"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RevertIncidentWeights: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RevertWeightsRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentWeights"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListIncidents: {
        parameters: {
            query?: {
                agent?: string;
                cursor?: string;
                limit?: number;
                q?: string;
                severity?: string;
                state?: string;
                team?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    OpenIncident: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OpenIncidentRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Incident"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetIncident: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentDetail"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    UpdateIncident: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateIncidentRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Incident"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AcknowledgeIncident: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IncidentNoteRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Incident"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ActOnIncident: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IncidentActRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentAct"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    JudgeIncidentSignal: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JudgeSignalRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Incident"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    MergeIncident: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MergeIncidentRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Incident"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    MitigateIncident: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IncidentNoteRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Incident"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    NoteIncident: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IncidentNoteRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Incident"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListIncidentOffers: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentOfferList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PreviewIncidentAct: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IncidentActRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentPreview"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListIncidentRecords: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentRecordList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ReopenIncident: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IncidentNoteRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Incident"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ResolveIncident: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IncidentNoteRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Incident"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetIncidentReview: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentReview"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    SaveIncidentReview: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SaveReviewRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentReview"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetIncidentReviewPDF: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentReviewPDF"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListRunbookRuns: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunbookRunList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    StartRunbook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StartRunbookRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunbookRun"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    TryRunbook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TryRunbookRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunbookTrial"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    SplitIncident: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SplitIncidentRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Incident"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AddIncidentTask: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddIncidentTaskRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentTask"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    IncidentTimeline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentEntryList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetIncidentWhy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentWhy"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListIntakeKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IntakeKeyList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CreateIntakeKey: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateIntakeKeyRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewIntakeKey"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RevokeIntakeKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListTokenIssuers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenIssuerList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutTokenIssuer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutTokenIssuerRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenIssuer"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteTokenIssuer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    LeakedKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LeakedKeyRequest"];
            };
        };
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListKPIs: {
        parameters: {
            query?: {
                agent?: string;
                definitions?: boolean;
                environment?: string;
                from?: string;
                task?: string;
                team?: string;
                to?: string;
                version?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KPIList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    TryKPI: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TryKPIRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KPITrial"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetKPI: {
        parameters: {
            query?: {
                agent?: string;
                bucket?: string;
                by?: string;
                environment?: string;
                from?: string;
                task?: string;
                team?: string;
                to?: string;
                version?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KPIDetail"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutKPI: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutKPIRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KPI"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteKPI: {
        parameters: {
            query?: {
                reason?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListKPIRecords: {
        parameters: {
            query?: {
                agent?: string;
                by?: string;
                cursor?: string;
                environment?: string;
                from?: string;
                group?: string;
                hits?: boolean;
                limit?: number;
                team?: string;
                to?: string;
                version?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KPIRecordList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListKPIVersions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KPIVersionList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListLessons: {
        parameters: {
            query?: {
                agent?: string;
                incident?: string;
                state?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LessonList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CreateLesson: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateLessonRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LessonDetail"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetLesson: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LessonDetail"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    UpdateLesson: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateLessonRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LessonDetail"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RevokeLesson: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RevokeLessonRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LessonDetail"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    Lint: {
        parameters: {
            query?: {
                agent?: string;
                from?: string;
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LintList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListLogs: {
        parameters: {
            query?: {
                agent?: string;
                cursor?: string;
                from?: string;
                limit?: number;
                loose?: boolean;
                min_severity?: number;
                q?: string;
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetMap: {
        parameters: {
            query?: {
                environment?: string;
                from?: string;
                limit?: number;
                team?: string;
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Map"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetBlast: {
        parameters: {
            query?: {
                environment?: string;
                from?: string;
                node?: string;
                team?: string;
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Blast"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    MatchAgent: {
        parameters: {
            query?: {
                agent_id?: string;
                environment?: string;
                name?: string;
                service?: string;
                team?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentMatch"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    Me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    BeginFactor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BeginFactorRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Enrolment"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ConfirmFactor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConfirmFactorRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ShowFactor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CodeRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FreshUntil"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ShowPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasskeyRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FreshUntil"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AskPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyOptions"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    BeginPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BeginFactorRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyEnrolment"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ConfirmPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConfirmPasskeyRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RenewRecoveryCodes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListMetricPoints: {
        parameters: {
            query?: {
                agent?: string;
                cursor?: string;
                from?: string;
                limit?: number;
                name?: string;
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MetricPointList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListMoods: {
        parameters: {
            query?: {
                agent?: string;
                environment?: string;
                from?: string;
                limit?: number;
                team?: string;
                to?: string;
                version?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MoodList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    Notices: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NoticeList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListObjectiveProposals: {
        parameters: {
            query?: {
                agent?: string;
                objective?: string;
                state?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ObjectiveProposalList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AcceptObjectiveProposal: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DecideObjectiveProposalRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ObjectiveProposal"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeclineObjectiveProposal: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DecideObjectiveProposalRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ObjectiveProposal"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListObjectives: {
        parameters: {
            query?: {
                agent?: string;
                environment?: string;
                state?: string;
                team?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ObjectiveList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetObjective: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Objective"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutObjective: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutObjectiveRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Objective"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteObjective: {
        parameters: {
            query?: {
                reason?: string;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetObjectiveStatus: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ObjectiveStatus"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListSchedules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OnCallScheduleList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetSchedule: {
        parameters: {
            query?: {
                days?: number;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OnCallScheduleDetail"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutScheduleRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OnCallScheduleDetail"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    OverrideOnCall: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OverrideRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OnCallScheduleDetail"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    EndOverride: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    OpenAPI: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListEvidence: {
        parameters: {
            query?: {
                agent?: string;
                kind?: string;
                limit?: number;
                team?: string;
                waiting?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OutcomeEvidenceList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ReportOutcome: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReportOutcomeRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OutcomeEvidence"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListOutcomeRules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OutcomeRules"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    TryOutcomeRule: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TryOutcomeRuleRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OutcomeRuleTrial"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutOutcomeRule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutOutcomeRuleRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OutcomeRule"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteOutcomeRule: {
        parameters: {
            query?: {
                reason?: string;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    Overview: {
        parameters: {
            query?: {
                bucket?: string;
                environment?: string;
                from?: string;
                team?: string;
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Overview"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    OverviewBroken: {
        parameters: {
            query?: {
                environment?: string;
                team?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OverviewBroken"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListPages: {
        parameters: {
            query?: {
                limit?: number;
                object?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListPeople: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CreatePerson: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreatePersonRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Person"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    UpdatePerson: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdatePersonRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Person"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListFactors: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Factors"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListPolicies: {
        parameters: {
            query?: {
                team?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CheckPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CheckRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckAnswer"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ProposePolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProposePolicyRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyProposal"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    SimulatePolicies: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SimulateRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Simulation"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ValidatePolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ValidatePolicyRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyValidation"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    WouldRefuse: {
        parameters: {
            query?: {
                agent?: string;
                from?: string;
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WouldAnswer"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Policy"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutPolicyRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Policy"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeletePolicy: {
        parameters: {
            query?: {
                reason?: string;
                revision?: number;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    EnforcePolicy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EnforceRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnforceAnswer"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    SetPolicyMode: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PolicyModeRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Policy"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RestorePolicy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RestorePolicyRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Policy"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListPolicyRevisions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyRevisionList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListPollers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PollerList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetPoller: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Poller"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutPoller: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutPollerRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Poller"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeletePoller: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PausePoller: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Poller"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PollNow: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Poller"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ResumePoller: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Poller"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    TestPoller: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PollerTest"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListProbablyFailed: {
        parameters: {
            query?: {
                agent?: string;
                environment?: string;
                from?: string;
                limit?: number;
                team?: string;
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProbablyFailed"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListProposals: {
        parameters: {
            query?: {
                limit?: number;
                open?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProposalList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ConfirmProposal: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Proposal"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeclineProposal: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Proposal"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    WithdrawProposal: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Proposal"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    Query: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Query"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueryResult"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetReadiness: {
        parameters: {
            query?: {
                environment?: string;
                from?: string;
                team?: string;
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListRelays: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RelayDestinationList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetRelay: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RelayDestination"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutRelay: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutRelayRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RelayDestination"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteRelay: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PauseRelay: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RelayDestination"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ResumeRelay: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RelayDestination"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    TestRelay: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RelayTest"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListRemaps: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RemapList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PlanRemap: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlanRemapRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Remap"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetRemap: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Remap"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ApplyRemap: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Remap"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListResponsePolicies: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResponsePolicies"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutResponsePolicy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutResponsePolicyRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResponsePolicy"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteResponsePolicy: {
        parameters: {
            query?: {
                reason?: string;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListResponses: {
        parameters: {
            query?: {
                agent?: string;
                cursor?: string;
                finding?: string;
                limit?: number;
                state?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResponseList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ApplyResponse: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResponseActRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Response"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RevertResponse: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResponseActRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Response"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetRetention: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Retention"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutRetention: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutRetentionRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Retention"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteRetention: {
        parameters: {
            query?: {
                environment?: string;
                kind?: string;
                reason?: string;
                team?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Retention"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PreviewRetention: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutRetentionRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetentionPreview"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListRuleWords: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleWordList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListRules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    TryRule: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TryRuleRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleTrial"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetRule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rule"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutRule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutRuleRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rule"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteRule: {
        parameters: {
            query?: {
                reason?: string;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListRuleRevisions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListWaitingRunbookRuns: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunbookRunList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ApproveRunbook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RunbookRunRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunbookRun"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RollBackRunbook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RunbookRunRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunbookRun"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    StepRunbook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RunbookRunRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunbookRun"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListRunbooks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunbookList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutRunbook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutRunbookRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Runbook"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteRunbook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListRuns: {
        parameters: {
            query?: {
                agent?: string;
                cursor?: string;
                environment?: string;
                from?: string;
                limit?: number;
                outcome?: string;
                q?: string;
                session?: string;
                sort?: string;
                status?: string;
                team?: string;
                to?: string;
                trace_id?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    Different: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DifferentRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Different"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListRunCases: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetItemList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListRunDecisions: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DecisionList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    HoldRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HoldRunRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Steering"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListRunLogs: {
        parameters: {
            query?: {
                around?: boolean;
                cursor?: string;
                limit?: number;
                min_severity?: number;
                q?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListMessages: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
                ordinals?: string;
                raw?: boolean;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListRunMetrics: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
                name?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MetricPointList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    TellRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TellRunRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Steering"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    WithdrawRunNote: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                note: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Steering"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetRunOutcome: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunOutcome"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DecideOutcome: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DecideOutcomeRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunOutcome"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ReleaseRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReleaseRunRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Steering"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ReplayRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplayRunRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Replay"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListRunSources: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SourceUseList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetSteering: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Steering"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListSteps: {
        parameters: {
            query?: {
                content?: boolean;
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StepList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetStep: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                step: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Step"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListSuspects: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Suspects"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    JudgeSuspects: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JudgeSuspectsRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Suspects"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetRunTopic: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunTopic"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetRunWhy: {
        parameters: {
            query?: {
                format?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Why"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CompleteSearch: {
        parameters: {
            query?: {
                at?: number;
                text?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SearchSuggestionList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    SearchFields: {
        parameters: {
            query?: {
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SearchFields"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListSessions: {
        parameters: {
            query?: {
                agent?: string;
                cursor?: string;
                environment?: string;
                from?: string;
                limit?: number;
                q?: string;
                team?: string;
                to?: string;
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    Setup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Setup"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListSIEMTargets: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SIEMTargetList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListSignIns: {
        parameters: {
            query?: {
                everybody?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    SignIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignInRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    SignInWithPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasskeyRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AskPasskeySignIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyOptions"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RedeemSignIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CodeRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    EndSignIn: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListSilences: {
        parameters: {
            query?: {
                all?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SilenceList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CreateSilence: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateSilenceRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Silence"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    EndSilence: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EndSilenceRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Silence"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetSimulation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Simulation"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListSources: {
        parameters: {
            query?: {
                q?: string;
                state?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SourceList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SourceDetail"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutSourceRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Source"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetAuditPlan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPlan"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutAuditPlan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutAuditPlanRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPlan"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteAuditPlan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AskAuditPlan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPlan"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListSourceAudits: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SourceAuditList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AuditSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AuditSourceRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SourceAudit"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutSourceBack: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutSourceBackRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Source"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    TakeSourceOut: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TakeSourceOutRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Source"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetStandard: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Standard"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    Conformance: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Conformance"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListWaivers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WaiverList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListStops: {
        parameters: {
            query?: {
                active?: boolean;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StopList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CreateStop: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateStopRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Stop"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PreviewStop: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PreviewStopRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StopPreview"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    LiftStop: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LiftStopRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Stop"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListSuspectVerdicts: {
        parameters: {
            query?: {
                limit?: number;
                team?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuspectVerdicts"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListTeams: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TeamList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CreateTeam: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateTeamRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Team"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListTokens: {
        parameters: {
            query?: {
                everybody?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    CreateToken: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateTokenRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewToken"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RevokeToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListToolFindings: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
                open?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ToolFindingList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListTools: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
                q?: string;
                state?: string;
                upstream?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ToolList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    UpstreamTools: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                upstream: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UpstreamTools"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AcceptTools: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                upstream: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AcceptToolsRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcceptedTools"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetTool: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                tool: string;
                upstream: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ToolDetail"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ForgetTool: {
        parameters: {
            query?: {
                reason?: string;
            };
            header?: never;
            path: {
                tool: string;
                upstream: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    AcceptTool: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                tool: string;
                upstream: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AcceptToolRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tool"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ToolDifference: {
        parameters: {
            query?: {
                from?: string;
                to?: string;
            };
            header?: never;
            path: {
                tool: string;
                upstream: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ToolDifference"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    HoldTool: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                tool: string;
                upstream: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HoldToolRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tool"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListTopics: {
        parameters: {
            query?: {
                agent?: string;
                environment?: string;
                from?: string;
                team?: string;
                to?: string;
                version?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TopicList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetTopic: {
        parameters: {
            query?: {
                agent?: string;
                environment?: string;
                from?: string;
                team?: string;
                to?: string;
                version?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TopicPage"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    NameTopic: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NameTopicRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Topic"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListTopicRuns: {
        parameters: {
            query?: {
                agent?: string;
                environment?: string;
                from?: string;
                limit?: number;
                team?: string;
                to?: string;
                unanswered?: boolean;
                version?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TopicRunList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListUnanswered: {
        parameters: {
            query?: {
                cursor?: string;
                environment?: string;
                from?: string;
                limit?: number;
                task?: string;
                team?: string;
                to?: string;
                topic?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnansweredQuestionList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListUnknownAgents: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
                state?: string;
                team?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnknownAgentList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetUnknownAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnknownAgent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    BlockUnknownAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UnknownReasonRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnknownAgent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DismissUnknownAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UnknownReasonRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnknownAgent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    MergeUnknownAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MergeUnknownRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnknownAgent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    RegisterUnknownAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RegisterUnknownRequest"];
            };
        };
        responses: {
            /** @description done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    UndoUnknownAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UnknownReasonRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnknownAgent"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListUpstreams: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UpstreamList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetUpstream: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upstream"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutUpstream: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutUpstreamRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upstream"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DeleteUpstream: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetPeerCard: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PeerCard"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ConnectUpstream: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConnectUpstreamRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConnectionAttempt"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    DisconnectUpstream: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    FinishUpstreamConnection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FinishConnectionRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Connection"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    SwitchUpstream: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SwitchUpstreamRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upstream"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    SwitchBackUpstream: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SwitchBackRequest"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upstream"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    GetValueLedger: {
        parameters: {
            query?: {
                agent?: string;
                environment?: string;
                from?: string;
                task?: string;
                team?: string;
                to?: string;
                version?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ValueLedger"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ListAssumptions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ValueAssumptionsList"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    PutAssumptions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ValueAssumptions"];
            };
        };
        responses: {
            /** @description done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ValueAssumptions"];
                };
            };
            /** @description a problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
