"""What the inside of Klantlijn asks of the outside. Adapters implement these; only `ivr/app.py` names adapters."""

from ivr.ports.call import Arrival as Arrival
from ivr.ports.call import CallbackDesk as CallbackDesk
from ivr.ports.call import CallLog as CallLog
from ivr.ports.call import Channel as Channel
from ivr.ports.call import CustomerDirectory as CustomerDirectory
from ivr.ports.call import Enquiry as Enquiry
from ivr.ports.call import Handler as Handler
from ivr.ports.call import Journal as Journal
from ivr.ports.call import JsonObject as JsonObject
from ivr.ports.call import OutageBoard as OutageBoard
from ivr.ports.call import PromptLibrary as PromptLibrary
from ivr.ports.call import SiteChooser as SiteChooser
from ivr.ports.clock import Clock as Clock
from ivr.ports.recordings import RecordingShelf as RecordingShelf
from ivr.ports.stores import CallbackStore as CallbackStore
from ivr.ports.stores import ChangeWatch as ChangeWatch
from ivr.ports.stores import ContactStore as ContactStore
from ivr.ports.stores import FlowStore as FlowStore
from ivr.ports.stores import IndexStore as IndexStore
from ivr.ports.stores import OutageStore as OutageStore
from ivr.ports.stores import SplitStore as SplitStore
from ivr.ports.systems import ConnectorSession as ConnectorSession
from ivr.ports.systems import CustomerIndex as CustomerIndex
from ivr.ports.systems import Switchboard as Switchboard
