using System.Linq.Expressions;
using System.Reflection;

namespace Temporalio.Common;

/// <summary>Takes a lambda such as <c>(MyWorkflow wf) => wf.RunAsync(input)</c> apart into the method and the values of its arguments.</summary>
internal static class CallExpression
{
    /// <exception cref="ArgumentException">The lambda is not a single call, or an argument uses the lambda's parameter.</exception>
    public static (MethodInfo Method, object?[] Arguments) Extract(LambdaExpression lambda)
    {
        if (lambda.Body is not MethodCallExpression call)
        {
            throw new ArgumentException($"Expected a single method call such as x => x.MethodAsync(argument), got {lambda}");
        }
        if (call.Object is not null and not ParameterExpression)
        {
            throw new ArgumentException($"The call must be on the lambda's parameter or on a static method, got {lambda}");
        }
        return (call.Method, call.Arguments.Select(Evaluate).ToArray());
    }

    /// <summary>The property that a lambda reads, or null where it is something else.</summary>
    public static PropertyInfo? ExtractProperty(LambdaExpression lambda) =>
        (lambda.Body as MemberExpression)?.Member as PropertyInfo;

    // Compiling an expression costs a millisecond and workflows make many calls, so the common shapes are read by reflection.
    private static object? Evaluate(Expression argument) => argument switch
    {
        ConstantExpression constant => constant.Value,
        MemberExpression { Member: FieldInfo field } member => field.GetValue(Target(member)),
        MemberExpression { Member: PropertyInfo property } member => property.GetValue(Target(member)),
        NewExpression { Constructor: { } constructor } creation => Rethrowing(() => constructor.Invoke(creation.Arguments.Select(Evaluate).ToArray())),
        UnaryExpression { NodeType: ExpressionType.Convert, Method: null } conversion when IsReferenceConversion(conversion) => Evaluate(conversion.Operand),
        _ => Compile(argument),
    };

    private static object? Target(MemberExpression member) => member.Expression is null ? null : Evaluate(member.Expression);

    private static bool IsReferenceConversion(UnaryExpression conversion) =>
        conversion.Type.IsAssignableFrom(conversion.Operand.Type) && Nullable.GetUnderlyingType(conversion.Type) is null;

    private static object? Compile(Expression argument) =>
        Expression.Lambda<Func<object?>>(Expression.Convert(argument, typeof(object))).Compile(preferInterpretation: true)();

    private static object? Rethrowing(Func<object?> call)
    {
        try
        {
            return call();
        }
        catch (TargetInvocationException e) when (e.InnerException is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.InnerException);
            throw;
        }
    }
}
