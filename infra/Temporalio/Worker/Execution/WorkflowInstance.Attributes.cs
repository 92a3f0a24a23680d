using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Common;
using Temporalio.Converters;
using Temporalio.Workflows;

namespace Temporalio.Worker;

/// <content>Memo and search attributes.</content>
internal sealed partial class WorkflowInstance
{
    public void UpsertMemo(IReadOnlyCollection<MemoUpdate> updates)
    {
        if (updates.Count == 0)
        {
            throw new ArgumentException("At least one update required", nameof(updates));
        }
        var upserted = new Memo();
        foreach (var update in updates)
        {
            // Null removes the key on the server.
            if (!upserted.Fields.TryAdd(update.UntypedKey, converter.ToPayload(update.UntypedValue)))
            {
                throw new ArgumentException($"Multiple updates seen for key {update.UntypedKey}", nameof(updates));
            }
        }
        ledger.Add(new(
            new() { CommandType = CommandType.ModifyWorkflowProperties, ModifyWorkflowPropertiesCommandAttributes = new() { UpsertedMemo = upserted } },
            EventType.WorkflowPropertiesModified,
            "memo"));
        foreach (var update in updates)
        {
            if (update.HasValue)
            {
                memo[update.UntypedKey] = new RawValue(upserted.Fields[update.UntypedKey]);
            }
            else
            {
                memo.Remove(update.UntypedKey);
            }
        }
    }

    public void UpsertTypedSearchAttributes(IReadOnlyCollection<SearchAttributeUpdate> updates)
    {
        if (updates.Count == 0)
        {
            throw new ArgumentException("At least one update required", nameof(updates));
        }
        var upserted = new SearchAttributes();
        foreach (var update in updates)
        {
            upserted.IndexedFields[update.UntypedKey.Name] = SearchAttributePayload.ToPayload(update.UntypedKey.ValueType, update.UntypedValue);
        }
        ledger.Add(new(
            new()
            {
                CommandType = CommandType.UpsertWorkflowSearchAttributes,
                UpsertWorkflowSearchAttributesCommandAttributes = new() { SearchAttributes = upserted },
            },
            EventType.UpsertWorkflowSearchAttributes,
            "search attributes"));
        searchAttributes.Apply(updates);
    }
}
