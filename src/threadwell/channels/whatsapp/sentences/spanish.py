"""What WhatsApp says of a chat in Spanish: one sentence on a line."""

LINES = """
los mensajes y las llamadas están cifrados de extremo a extremo{}
los mensajes y llamadas están cifrados de extremo a extremo{}
los mensajes a este chat y las llamadas ahora están protegidos con cifrado{}
los mensajes que envías a este grupo ahora están protegidos con cifrado{}
cambió tu código de seguridad con {who}{}
tu código de seguridad con {who} cambió{}
el código de seguridad de {who} cambió{}
este chat es con una cuenta de empresa{}
esta empresa usa un servicio seguro{}
esta empresa trabaja con otras empresas{}
{who} es un contacto
activaste los mensajes temporales{}
desactivaste los mensajes temporales{}
actualizaste la duración de los mensajes temporales{}
{who} activó los mensajes temporales{}
{who} desactivó los mensajes temporales{}
{who} actualizó la duración de los mensajes temporales{}
bloqueaste a este contacto{}
desbloqueaste a este contacto{}
creaste el grupo {}
creaste este grupo
{who} creó el grupo {}
{who} creó este grupo
cambiaste el asunto {}
cambiaste el nombre del grupo {}
cambiaste el ícono de este grupo
cambiaste la descripción del grupo
{who} cambió el asunto {}
{who} cambió el nombre del grupo {}
{who} cambió el ícono de este grupo
{who} cambió el icono de este grupo
{who} cambió la descripción del grupo
te añadieron
se te añadió al grupo
{who} te añadió
{who} te agregó
{who} añadió a {new}
{who} agregó a {new}
añadiste a {new}
agregaste a {new}
te uniste {}
{joiner} se unió {}
{who} salió del grupo
{who} salió
{who} ha salido
eliminaste a {}
{who} eliminó a {}
ahora eres admin. del grupo
{who} ahora es admin. del grupo
{who} cambió su número de teléfono{}
{who} cambió a {}
{who} fijó un mensaje
fijaste un mensaje
llamada perdida
llamada perdida, {}
llamada perdida. {}
llamada de voz perdida
llamada de voz perdida, {}
llamada de voz perdida. {}
videollamada perdida
videollamada perdida, {}
videollamada perdida. {}
llamada de voz, {}
llamada de voz. {}
videollamada, {}
videollamada. {}
"""
