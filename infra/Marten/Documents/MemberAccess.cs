using System.Reflection;

namespace Marten.Documents;

/// <summary>A property or field of a document that the store reads or fills, such as its identity.</summary>
internal sealed class MemberAccess
{
    private const BindingFlags Members = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance;

    private readonly PropertyInfo? _property;
    private readonly FieldInfo? _field;

    private MemberAccess(MemberInfo member)
    {
        _property = member as PropertyInfo;
        _field = member as FieldInfo;
        Type = _property?.PropertyType ?? _field!.FieldType;
    }

    public Type Type { get; }

    /// <summary>The member of this name, in any case, and of one of these types; null if the type has none.</summary>
    public static MemberAccess? Find(Type owner, string name, params Type[] types)
    {
        MemberInfo? member = owner.GetProperties(Members).Cast<MemberInfo>()
            .Concat(owner.GetFields(Members))
            .FirstOrDefault(member => string.Equals(member.Name, name, StringComparison.OrdinalIgnoreCase)
                && types.Contains((member as PropertyInfo)?.PropertyType ?? ((FieldInfo)member).FieldType));
        return member is null ? null : new MemberAccess(member);
    }

    public object? Get(object owner) => _property is not null ? _property.GetValue(owner) : _field!.GetValue(owner);

    /// <summary>Does nothing for a property that cannot be set.</summary>
    public void Set(object owner, object value)
    {
        if (_property is { CanWrite: true })
        {
            _property.SetValue(owner, value);
        }
        else
        {
            _field?.SetValue(owner, value);
        }
    }
}
